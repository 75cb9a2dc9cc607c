package hrana

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string. The bytes are good until the next call.
func (s *scanner) str() ([]byte, error) {
	if err := s.take('"'); err != nil {
		return nil, err
	}
	s.comma = true
	for i := s.pos; i < s.end; i++ {
		switch c := s.buf[i]; {
		case c == '"':
			text := s.buf[s.pos:i]
			s.pos = i + 1
			return text, nil
		case c == '\\' || c < ' ':
			return s.longStr()
		}
	}
	return s.longStr()
}

// longStr reads the rest of a string that has escapes or crosses the buffer.
func (s *scanner) longStr() ([]byte, error) {
	s.scratch = s.scratch[:0]
	for {
		i := s.pos
		for i < s.end && s.buf[i] != '"' && s.buf[i] != '\\' && s.buf[i] >= ' ' {
			i++
		}
		if err := s.put(s.buf[s.pos:i]); err != nil {
			return nil, err
		}
		s.pos = i
		if i == s.end {
			if err := s.fill(); err != nil {
				return nil, cutShort(err)
			}
			continue
		}
		switch c := s.buf[i]; c {
		case '"':
			s.pos++
			return s.scratch, nil
		case '\\':
			s.pos++
			if err := s.escape(); err != nil {
				return nil, err
			}
		default:
			return nil, s.unexpected(c)
		}
	}
}

// skipStr reads over a string and holds none of it.
func (s *scanner) skipStr() error {
	if err := s.take('"'); err != nil {
		return err
	}
	s.comma = true
	for n := 0; n <= s.limit; {
		i := s.pos
		for i < s.end && s.buf[i] != '"' && s.buf[i] != '\\' && s.buf[i] >= ' ' {
			i++
		}
		n += i - s.pos + 1
		if s.pos = i; i == s.end {
			if err := s.fill(); err != nil {
				return cutShort(err)
			}
			continue
		}
		switch c := s.buf[i]; c {
		case '"':
			s.pos++
			return nil
		case '\\':
			s.pos++
			s.scratch = s.scratch[:0]
			if err := s.escape(); err != nil {
				return err
			}
		default:
			return s.unexpected(c)
		}
	}
	return s.tooLong()
}

// put appends to scratch, which grows within the limit.
func (s *scanner) put(b []byte) error {
	if need := len(s.scratch) + len(b); need > cap(s.scratch) {
		size := max(need, 2*cap(s.scratch))
		if s.held+2*size > s.limit {
			if size = need; s.held+2*size > s.limit {
				return s.tooLong()
			}
			size = (s.limit - s.held) / 2 // the last time
		}
		s.scratch = append(make([]byte, 0, size), s.scratch...)
	}
	s.scratch = append(s.scratch, b...)
	return nil
}

func (s *scanner) putRune(r rune) error {
	var b [utf8.UTFMax]byte
	return s.put(b[:utf8.EncodeRune(b[:], r)])
}

func (s *scanner) tooLong() error {
	return protocolError("a value is longer than fits into the %d bytes that Config.MaxMemory allows: it is held twice while it is read", s.limit)
}

func (s *scanner) escape() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		return s.put([]byte("\"\\/\b\f\n\r\t")[i : i+1])
	}
	if c != 'u' {
		return s.unexpected(c)
	}
	r, err := s.hex4()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) {
		return s.surrogate(r)
	}
	return s.putRune(r)
}

// surrogate reads the second half of a pair. A half alone is no character: it
// becomes U+FFFD, as in encoding/json.
func (s *scanner) surrogate(first rune) error {
	for {
		c, err := s.next()
		if err != nil {
			return err
		}
		if c != '\\' {
			s.pos--
			return s.putRune(utf8.RuneError)
		}
		if c, err = s.next(); err != nil {
			return err
		}
		if c != 'u' {
			s.pos--
			if err := s.putRune(utf8.RuneError); err != nil {
				return err
			}
			return s.escape()
		}
		second, err := s.hex4()
		if err != nil {
			return err
		}
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return s.putRune(r)
		}
		if err := s.putRune(utf8.RuneError); err != nil {
			return err
		}
		if !utf16.IsSurrogate(second) {
			return s.putRune(second)
		}
		first = second
	}
}

func (s *scanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		c, err := s.next()
		if err != nil {
			return 0, err
		}
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, s.unexpected(c)
		}
	}
	return r, nil
}

// next uses up one byte. It leaves at least that byte in the buffer, so that
// pos-- takes it back.
func (s *scanner) next() (byte, error) {
	if s.pos == s.end {
		if err := s.fill(); err != nil {
			return 0, cutShort(err)
		}
	}
	s.pos++
	return s.buf[s.pos-1], nil
}
