package hrana

import (
	"bytes"
	"database/sql/driver"
	"encoding/base64"
	"math"
	"strconv"
)

// valueKind is the "type" of a Hrana value.
type valueKind uint8

const (
	kindUnknown valueKind = iota
	kindNull
	kindInteger
	kindFloat
	kindText
	kindBlob
)

func kindOf(name []byte) (valueKind, error) {
	switch string(name) {
	case "null":
		return kindNull, nil
	case "integer":
		return kindInteger, nil
	case "float":
		return kindFloat, nil
	case "text":
		return kindText, nil
	case "blob":
		return kindBlob, nil
	}
	return 0, protocolError("value of type %.20q", name)
}

// value reads one Hrana value as nil, int64, float64, string or []byte.
// Servers send "type" first, and then the content is decoded where it lies;
// the other order takes a copy.
func (s *scanner) value() (driver.Value, error) {
	if v, ok := s.quick(); ok {
		return v, nil
	}
	if err := s.open('{'); err != nil {
		return nil, err
	}
	var kind valueKind
	var v driver.Value
	var held []byte
	var has, quoted bool
	for {
		more, err := s.more('}')
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		key, err := s.key()
		if err != nil {
			return nil, err
		}
		switch string(key) {
		case "type":
			name, err := s.str()
			if err == nil {
				kind, err = kindOf(name)
			}
			if err != nil {
				return nil, err
			}
			continue
		case "value", "base64":
		default:
			if err := s.skip(); err != nil {
				return nil, err
			}
			continue
		}
		var content []byte
		if content, quoted, err = s.scalar(); err != nil {
			return nil, err
		}
		has = true
		if kind == kindUnknown {
			held = append([]byte{}, content...)
		} else if v, err = decode(kind, content, quoted); err != nil {
			return nil, err
		}
	}
	switch {
	case kind == kindUnknown:
		return nil, protocolError("value without a type")
	case kind == kindNull:
		return nil, nil
	case !has:
		return nil, protocolError("value without content")
	case held != nil:
		return decode(kind, held, quoted)
	}
	return v, nil
}

// scalar reads a string's text or a bare value's digits.
func (s *scanner) scalar() (content []byte, quoted bool, err error) {
	c, err := s.peek()
	if err != nil {
		return nil, false, err
	}
	if c == '"' {
		content, err = s.str()
		return content, true, err
	}
	content, err = s.bare()
	return content, false, err
}

func decode(kind valueKind, content []byte, quoted bool) (driver.Value, error) {
	if quoted && kind == kindFloat || !quoted && (kind == kindText || kind == kindBlob) {
		return nil, protocolError("text or blob without quotes, or float with them")
	}
	switch kind {
	case kindInteger:
		n, err := strconv.ParseInt(string(content), 10, 64)
		if err != nil {
			return nil, protocolError("integer %.40q is not one of 64 bits", content)
		}
		return n, nil
	case kindFloat:
		return decodeFloat(content)
	case kindText:
		return string(content), nil
	case kindBlob:
		content = bytes.TrimRight(content, "=")
		b := make([]byte, base64.RawStdEncoding.DecodedLen(len(content)))
		n, err := base64.RawStdEncoding.Decode(b, content)
		if err != nil {
			return nil, protocolError("blob is not base64")
		}
		return b[:n], nil
	}
	return nil, nil
}

// decodeFloat makes NaN of null, which is what servers make of an infinite
// float: JSON has none, and the sign is lost. SQLite itself has no NaN, so
// [rows.Next] can tell. 1e999 is infinite.
func decodeFloat(content []byte) (driver.Value, error) {
	if string(content) == "null" {
		return math.NaN(), nil
	}
	f, err := strconv.ParseFloat(string(content), 64)
	if err != nil && (f == 0 || f-f == 0) { // out of range is ±Inf, and that is meant
		return nil, protocolError("float %.40q is not a number", content)
	}
	return f, nil
}
