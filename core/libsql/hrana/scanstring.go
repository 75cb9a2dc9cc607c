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
		s.scratch = append(s.scratch, s.buf[s.pos:i]...)
		s.pos = i
		if len(s.scratch) > s.limit {
			return nil, protocolError("a value is longer than the %d bytes allowed", s.limit)
		}
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

func (s *scanner) escape() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		s.scratch = append(s.scratch, "\"\\/\b\f\n\r\t"[i])
		return nil
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
	s.scratch = utf8.AppendRune(s.scratch, r)
	return nil
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
			s.scratch = utf8.AppendRune(s.scratch, utf8.RuneError)
			return nil
		}
		if c, err = s.next(); err != nil {
			return err
		}
		if c != 'u' {
			s.pos--
			s.scratch = utf8.AppendRune(s.scratch, utf8.RuneError)
			return s.escape()
		}
		second, err := s.hex4()
		if err != nil {
			return err
		}
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			s.scratch = utf8.AppendRune(s.scratch, r)
			return nil
		}
		s.scratch = utf8.AppendRune(s.scratch, utf8.RuneError)
		if !utf16.IsSurrogate(second) {
			s.scratch = utf8.AppendRune(s.scratch, second)
			return nil
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
