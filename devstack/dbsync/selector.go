package dbsync

import (
	"encoding/binary"
	"errors"
	"sort"
)

// The format of a roaring bitmap, which a client names pages by:
// https://github.com/RoaringBitmap/RoaringFormatSpec
const (
	cookieWithoutRuns = 12346
	cookieWithRuns    = 12347
	offsetsFrom       = 4    // containers, below which a bitmap with runs has no offsets
	maxArray          = 4096 // values, above which a container is a bitmap
	bitmapSize        = 8192 // bytes of one
)

var errBitmap = errors.New("not a roaring bitmap")

// container holds the values that share their upper half.
type container struct {
	key    uint16
	kind   byte // 'a'rray, 'b'itmap or 'r'uns
	values []byte
}

// selector is a set of page numbers, counted from 0. It refers to the request that it
// was read from, so that it takes no more memory than that.
type selector []container

// parseSelector returns a function that reports whether a page, counted from 1, is in a
// bitmap; nil for an empty one, which means all pages.
func parseSelector(b []byte) (func(page uint32) bool, error) {
	if len(b) == 0 {
		return nil, nil
	}
	s, err := readSelector(b)
	if err != nil {
		return nil, err
	}
	return func(page uint32) bool { return s.contains(page - 1) }, nil
}

// readSelector reads a bitmap in its portable form.
func readSelector(b []byte) (selector, error) {
	next := func(n int) []byte {
		if len(b) < n {
			b = nil
			return nil
		}
		head := b[:n]
		b = b[n:]
		return head
	}
	head := next(4)
	if head == nil {
		return nil, errBitmap
	}
	var runs []byte
	n := 0
	switch cookie := binary.LittleEndian.Uint32(head); {
	case cookie == cookieWithoutRuns:
		if head = next(4); head == nil {
			return nil, errBitmap
		}
		if size := binary.LittleEndian.Uint32(head); size <= 1<<16 {
			n = int(size)
		} else {
			return nil, errBitmap
		}
	case cookie&0xffff == cookieWithRuns:
		n = int(cookie>>16) + 1
		if runs = next((n + 7) / 8); runs == nil {
			return nil, errBitmap
		}
	default:
		return nil, errBitmap
	}
	descriptions := next(4 * n)
	if descriptions == nil && n > 0 {
		return nil, errBitmap
	}
	if runs == nil || n >= offsetsFrom {
		if next(4*n) == nil && n > 0 { // where each begins: one after another
			return nil, errBitmap
		}
	}
	s := make(selector, n)
	for i := range s {
		c := &s[i]
		c.key = binary.LittleEndian.Uint16(descriptions[4*i:])
		if i > 0 && c.key <= s[i-1].key {
			return nil, errBitmap
		}
		size := 0
		switch count := int(binary.LittleEndian.Uint16(descriptions[4*i+2:])) + 1; {
		case runs != nil && runs[i/8]>>(i%8)&1 == 1:
			if head = next(2); head == nil {
				return nil, errBitmap
			}
			c.kind, size = 'r', 4*int(binary.LittleEndian.Uint16(head))
		case count <= maxArray:
			c.kind, size = 'a', 2*count
		default:
			c.kind, size = 'b', bitmapSize
		}
		if c.values = next(size); c.values == nil && size > 0 {
			return nil, errBitmap
		}
	}
	if len(b) > 0 {
		return nil, errBitmap
	}
	return s, nil
}

func (s selector) contains(value uint32) bool {
	key, low := uint16(value>>16), uint16(value)
	i := sort.Search(len(s), func(i int) bool { return s[i].key >= key })
	if i == len(s) || s[i].key != key {
		return false
	}
	c := s[i]
	switch c.kind {
	case 'b':
		return c.values[low/8]>>(low%8)&1 == 1
	case 'a':
		n := len(c.values) / 2
		at := sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint16(c.values[2*i:]) >= low })
		return at < n && binary.LittleEndian.Uint16(c.values[2*at:]) == low
	}
	n := len(c.values) / 4 // runs: where each begins, and how many follow
	at := sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint16(c.values[4*i:]) > low })
	if at == 0 {
		return false
	}
	begin, more := binary.LittleEndian.Uint16(c.values[4*at-4:]), binary.LittleEndian.Uint16(c.values[4*at-2:])
	return low-begin <= more
}
