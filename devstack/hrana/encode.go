package hrana

import (
	"encoding/base64"
	"math"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/zen-auth/zen/devstack/engine"
)

// Responses are appended to a buffer by hand: rows are most of what a server
// sends, and an integer must be a string, a blob base64 without padding.

func appendValue(b []byte, v engine.Value) []byte {
	switch v.Kind {
	case engine.Integer:
		b = append(b, `{"type":"integer","value":"`...)
		b = strconv.AppendInt(b, v.Int, 10)
		return append(b, `"}`...)
	case engine.Float:
		b = append(b, `{"type":"float","value":`...)
		b = appendFloat(b, v.Float)
	case engine.Text:
		b = append(b, `{"type":"text","value":`...)
		b = appendString(b, v.Bytes)
	case engine.Blob:
		b = append(b, `{"type":"blob","base64":"`...)
		b = base64.RawStdEncoding.AppendEncode(b, v.Bytes)
		b = append(b, '"')
	default:
		b = append(b, `{"type":"null"`...)
	}
	return append(b, '}')
}

// appendFloat writes a float that is one to every reader, never an integer. JSON
// has no infinity; as in libsql-server it becomes null.
func appendFloat(b []byte, f float64) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(b, "null"...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	for _, c := range b[start:] {
		if c == '.' || c == 'e' {
			return b
		}
	}
	return append(b, ".0"...)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string. Unlike encoding/json's it leaves <, > and &
// alone, as serde does. Bytes that are no UTF-8, which values are never, become U+FFFD.
func appendString[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune([]byte(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendOptional writes s, or null if it is empty.
func appendOptional(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

func appendColumns(b []byte, cols []engine.Column) []byte {
	b = append(b, '[')
	for i, c := range cols {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = appendString(b, c.Name)
		b = append(b, `,"decltype":`...)
		b = appendOptional(b, c.DeclType)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendRow(b []byte, row []engine.Value) []byte {
	b = append(b, '[')
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v)
	}
	return append(b, ']')
}

func appendError(b []byte, e *SQLError) []byte {
	b = append(b, `{"message":`...)
	b = appendString(b, e.Message)
	b = append(b, `,"code":`...)
	b = appendString(b, e.Code)
	return append(b, '}')
}

// checkUTF8 returns the error with which libsql-server ends a whole request for a text
// that is none, as Rust says it.
func checkUTF8(s []byte) error {
	if utf8.Valid(s) {
		return nil
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(s[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	text := "incomplete utf-8 byte sequence from index " + strconv.Itoa(at)
	if n := invalidLength(s[at:]); n > 0 {
		text = "invalid utf-8 sequence of " + strconv.Itoa(n) + " bytes from index " + strconv.Itoa(at)
	}
	return &StatusError{Status: http.StatusInternalServerError, Body: errorBody{text}, Origin: "*"}
}

// invalidLength returns how many bytes can't begin any character, or 0 if more bytes
// could have made them one.
func invalidLength(s []byte) int {
	for n := 1; n < utf8.UTFMax; n++ {
		if utf8.FullRune(s[:min(n, len(s))]) {
			// Of the shortest prefix that is no beginning, the last byte is the first of
			// what follows.
			return max(1, n-1)
		}
		if n >= len(s) {
			return 0
		}
	}
	return utf8.UTFMax - 1
}
