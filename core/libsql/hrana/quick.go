package hrana

import (
	"database/sql/driver"
	"strconv"
)

// The forms that servers write, byte by byte: a value in one of them, all of which is in the
// buffer, is read without looking at each of its tokens.
const (
	quickText     = `{"type":"text","value":"`
	quickInteger  = `{"type":"integer","value":"`
	quickNull     = `{"type":"null"}`
	quickRowBegin = `{"type":"row","row":`
)

// quick reads a value if it is one of those. Otherwise nothing is used up, and value reads
// it.
func (s *scanner) quick() (v driver.Value, ok bool) {
	b := s.buf[s.pos:s.end]
	switch {
	case begins(b, quickText):
		for i := len(quickText); i+1 < len(b); i++ {
			switch c := b[i]; {
			case c == '"':
				if b[i+1] != '}' {
					return nil, false
				}
				s.used(i + 2)
				return string(b[len(quickText):i]), true
			case c == '\\' || c < ' ':
				return nil, false
			}
		}
	case begins(b, quickInteger):
		i := len(quickInteger)
		for i < len(b) && (isDigit(b[i]) || b[i] == '-') {
			i++
		}
		if i+1 >= len(b) || b[i] != '"' || b[i+1] != '}' {
			return nil, false
		}
		n, err := strconv.ParseInt(string(b[len(quickInteger):i]), 10, 64)
		if err != nil {
			return nil, false
		}
		s.used(i + 2)
		return n, true
	case begins(b, quickNull):
		s.used(len(quickNull))
		return nil, true
	}
	return nil, false
}

// quickRow reads the beginning of a cursor's row, up to its values, if that is next.
func (s *scanner) quickRow() bool {
	if !begins(s.buf[s.pos:s.end], quickRowBegin) {
		return false
	}
	s.pos += len(quickRowBegin)
	s.comma = false
	return true
}

// used is the end of a value of so many bytes.
func (s *scanner) used(n int) {
	s.pos += n
	s.comma = true
}

func begins(b []byte, with string) bool {
	return len(b) >= len(with) && string(b[:len(with)]) == with
}
