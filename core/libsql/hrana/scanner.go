package hrana

import (
	"errors"
	"io"
	"sync"
)

// scanner reads JSON from a stream, token by token, in one pass and with one
// buffer, so that a result of any size is read in constant memory. The caller
// walks it as it knows the shape:
//
//	s.open('{')
//	for more, err := s.more('}'); more; more, err = s.more('}') {
//		key, err := s.key()
//		... exactly one value ...
//	}
//
// The state between two calls is in the scanner alone, so that a walk can stop
// inside a nested array and go on later.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	read     int64 // bytes read before buf, for error messages
	comma    bool  // the next element needs a comma before it
	scratch  []byte
	// limit is on what is held in memory at once, in bytes: held, which are the values
	// that were kept and those of the row that is read, and the value that is read,
	// twice, for it is handed out as a copy of scratch.
	limit, held int
}

const (
	scanBuffer = 32 << 10
	maxDepth   = 32 // of values that are skipped; Hrana nests 8 deep
	keepScrap  = 64 << 10
)

var scanners = sync.Pool{New: func() any { return &scanner{buf: make([]byte, scanBuffer)} }}

func newScanner(r io.Reader, limit int) *scanner {
	s := scanners.Get().(*scanner)
	s.r, s.pos, s.end, s.read, s.comma, s.limit, s.held = r, 0, 0, 0, false, limit, 0
	return s
}

// free gives the buffers back. No slice that the scanner returned may be used
// any more.
func (s *scanner) free() {
	s.r = nil
	if cap(s.scratch) > keepScrap {
		s.scratch = nil
	}
	scanners.Put(s)
}

// fill reads more, when everything in buf is used. It returns io.EOF only at
// the clean end of the stream.
func (s *scanner) fill() error {
	s.read += int64(s.end)
	s.pos, s.end = 0, 0
	for range 100 {
		n, err := s.r.Read(s.buf)
		if n > 0 {
			s.end = n
			return nil // an error will come again with the next Read
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// peek returns the next byte that is not white space, without using it up.
func (s *scanner) peek() (byte, error) {
	if s.pos < s.end && s.buf[s.pos] > ' ' {
		return s.buf[s.pos], nil // small enough to be inlined
	}
	return s.peekPast()
}

func (s *scanner) peekPast() (byte, error) {
	for {
		for s.pos < s.end {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\n', '\r':
				s.pos++
			default:
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, cutShort(err)
		}
	}
}

func (s *scanner) take(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return s.unexpected(c)
	}
	s.pos++
	return nil
}

// open reads the { or [ of a value.
func (s *scanner) open(c byte) error {
	err := s.take(c)
	s.comma = false
	return err
}

// more reports whether another element or key follows in the innermost array
// or object, and reads the comma before it, or else the closing byte.
func (s *scanner) more(closing byte) (bool, error) {
	c, err := s.peek()
	if err != nil {
		return false, err
	}
	if c == closing {
		s.pos++
		s.comma = true
		return false, nil
	}
	if s.comma {
		if c != ',' {
			return false, s.unexpected(c)
		}
		s.pos++
		if c, err = s.peek(); err != nil {
			return false, err
		}
		if c == closing {
			return false, s.unexpected(c)
		}
	}
	s.comma = false
	return true, nil
}

// key reads an object's key and the colon. The bytes are good until the next
// call.
func (s *scanner) key() ([]byte, error) {
	k, err := s.str()
	if err != nil {
		return nil, err
	}
	if s.pos < s.end && s.buf[s.pos] == ':' {
		s.pos++
	} else {
		s.scratch = append(s.scratch[:0], k...) // reading on may move the buffer
		k = s.scratch
		if err := s.take(':'); err != nil {
			return nil, err
		}
	}
	s.comma = false
	return k, nil
}

// bare reads a number, true, false or null. The bytes are good until the next
// call.
func (s *scanner) bare() ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return nil, err
	}
	s.comma = true
	s.scratch = s.scratch[:0]
	for {
		i := s.pos
		for i < s.end && isBare(s.buf[i]) {
			i++
		}
		s.scratch = append(s.scratch, s.buf[s.pos:i]...)
		s.pos = i
		if len(s.scratch) > 4096 {
			return nil, protocolError("a number of more than 4096 digits")
		}
		if i < s.end {
			break
		}
		if err := s.fill(); err != nil {
			return nil, cutShort(err) // a bare value is never the whole answer
		}
	}
	if !validBare(s.scratch) {
		return nil, s.unexpected(s.buf[s.pos])
	}
	return s.scratch, nil
}

// skip reads over any one value.
func (s *scanner) skip() error { return s.skipDeep(0) }

func (s *scanner) skipDeep(depth int) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	switch c {
	case '"':
		return s.skipStr()
	case '{', '[':
		if depth == maxDepth {
			return protocolError("JSON nested deeper than %d", maxDepth)
		}
		closing := c + 2 // '}' is '{'+2 and ']' is '['+2
		if err := s.open(c); err != nil {
			return err
		}
		for {
			more, err := s.more(closing)
			if err != nil || !more {
				return err
			}
			if c == '{' {
				if _, err := s.key(); err != nil {
					return err
				}
			}
			if err := s.skipDeep(depth + 1); err != nil {
				return err
			}
		}
	}
	_, err = s.bare()
	return err
}

// finish reads to the end of the stream, which lets the HTTP connection be
// used again; only white space may be left.
func (s *scanner) finish() error {
	c, err := s.peek()
	if errors.Is(err, errCutShort) {
		return nil
	}
	if err == nil {
		return s.unexpected(c)
	}
	return err
}

func (s *scanner) unexpected(c byte) error {
	return protocolError("byte %q at offset %d of the answer is not expected", c, s.read+int64(s.pos))
}

// errCutShort is the end of the stream where more has to come.
var errCutShort = protocolError("answer ends early: %w", io.ErrUnexpectedEOF)

func cutShort(err error) error {
	if err == io.EOF {
		return errCutShort
	}
	return err
}
