package dbsync

import (
	"encoding/hex"
	"strings"
	"testing"
)

// The bitmaps were made with the crate roaring 0.11.2, which the clients use.
func TestSelector(t *testing.T) {
	for _, tt := range []struct {
		name, bitmap string
		in, out      []uint32
	}{
		{"0..10", "3b3000000100000900010000000900", []uint32{0, 1, 9}, []uint32{10, 65536, 1 << 31}},
		{"10..70000 and 400000", "3b300200030000f5ff01006f110600000001000a00f5ff010000006f11801a",
			[]uint32{10, 65535, 65536, 69999, 400000}, []uint32{0, 9, 70000, 399999, 400001}},
		{"single ones", "3a30000003000000000002000100000003000000200000002600000028000000000002004d000000400d",
			[]uint32{0, 2, 77, 65536, 200000}, []uint32{1, 3, 76, 78, 65535, 65537, 199999, 131072}},
		{"four containers of runs", "3b3003000f00005400010009000200090004000900250000002b00000031000000370000000100050054000100701109000100e02209000100b01e0900",
			[]uint32{5, 89, 70000, 70009, 140005, 270009}, []uint32{4, 90, 69999, 70010, 262144}},
		{"all that divides by 7, to 62993", "3a30000001000000000027231000000" + "0" + sevenths(),
			[]uint32{0, 7, 6993, 62993}, []uint32{1, 6, 8, 62994, 63000}},
		{"nothing", "3a30000000000000", nil, []uint32{0, 1, 65536}},
	} {
		b, err := hex.DecodeString(tt.bitmap)
		must(t, err)
		wanted, err := parseSelector(b)
		if err != nil {
			t.Errorf("%s: parseSelector = %v", tt.name, err)
			continue
		}
		for _, page := range tt.in {
			if !wanted(page + 1) {
				t.Errorf("%s has no %d", tt.name, page)
			}
		}
		for _, page := range tt.out {
			if wanted(page + 1) {
				t.Errorf("%s has %d", tt.name, page)
			}
		}
		for n := range b { // truncated anywhere, it is invalid
			if _, err := readSelector(b[:n]); err == nil {
				t.Errorf("%s is accepted with %d of %d bytes", tt.name, n, len(b))
				break
			}
		}
		if _, err := readSelector(append(b, 0)); err == nil {
			t.Errorf("%s is accepted with an extra byte", tt.name)
		}
	}
	if wanted, err := parseSelector(nil); wanted != nil || err != nil {
		t.Errorf("without one: %v", err)
	}
}

// sevenths is a container of 8 KiB with every seventh bit set, up to the 9,000th.
func sevenths() string {
	b := make([]byte, bitmapSize)
	for i := range 9000 {
		b[i*7/8] |= 1 << (i * 7 % 8)
	}
	return hex.EncodeToString(b)
}

func TestSelectorLies(t *testing.T) {
	for name, bitmap := range map[string]string{
		"another cookie":             "3c30000000000000",
		"4 billion containers":       "3a300000ffffffff",
		"65,536 containers of which": "3a30000000000100",
		"containers out of order":    "3a300000020000000100000000000000180000001a00000000000000",
		"the same container twice":   "3a300000020000000100000001000000180000001a00000000000000",
	} {
		b, err := hex.DecodeString(bitmap)
		must(t, err)
		if _, err := readSelector(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzParseUpdates checks that parsing any request terminates, takes no more memory than
// the request, and that the result answers for every page.
func FuzzParseUpdates(f *testing.F) {
	for _, s := range []string{
		"", "1a013520dc0b", "0801", "4001", "2a0f3b3000000100000900010000000900", "2a083a30000000000000",
		"120132" + "2a103a30000001000000000000001000" + "0000", "3208" + strings.Repeat("00", 8), "1aff",
	} {
		b, err := hex.DecodeString(s)
		must(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseUpdates(b)
		if err != nil {
			return
		}
		if r.poll < 0 || r.poll > maxPoll || len(r.selector) > len(b) {
			t.Errorf("parseUpdates = %+v", r)
		}
		if s, err := readSelector(r.selector); err == nil {
			if 4*len(s) > len(b) {
				t.Errorf("%d containers in %d bytes", len(s), len(b))
			}
			for _, page := range []uint32{0, 1, 1<<16 - 1, 1 << 16, 1<<32 - 1} {
				s.contains(page)
			}
		}
	})
}
