package jwks

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// object is a JSON object whose values are decoded when they are asked for.
//
// It differs from what encoding/json makes of an object in two ways. Names count
// as they are written: decoding to a struct takes "ID" for "id", so that zen would
// see a claim where Turso sees none, and grants everything. And a name may come
// once (RFC 7519 section 4 leaves that to the reader): of two, zen and Turso might
// take different ones. It is also faster, as most claims are of no interest.
type object []member

type member struct {
	name string
	raw  string
}

var (
	errNotObject = errors.New("a JSON object")
	errTwice     = errors.New("free of names that come twice")
)

func readObject(encoded []byte) (object, error) {
	if !json.Valid(encoded) {
		return nil, errNotObject
	}
	// From here on the text is well-formed, and so is everything that is skipped.
	text := string(encoded)
	i := skipSpace(text, 0)
	if text[i] != '{' {
		return nil, errNotObject
	}
	o := make(object, 0, min(1+strings.Count(text, ","), 32))
	for i = skipSpace(text, i+1); text[i] != '}'; {
		end := valueEnd(text, i)
		name := stringOf(text[i:end])
		i = skipSpace(text, skipSpace(text, end)+1) // past the colon
		end = valueEnd(text, i)
		if o.raw(name) != "" {
			return nil, errTwice
		}
		o = append(o, member{name, text[i:end]})
		if i = skipSpace(text, end); text[i] == ',' {
			i = skipSpace(text, i+1)
		}
	}
	return o, nil
}

func skipSpace(text string, i int) int {
	for text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n' {
		i++
	}
	return i
}

// valueEnd returns the end of the value that begins at i.
func valueEnd(text string, i int) int {
	for depth := 0; ; i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of the object around a number or word
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
}

// stringOf decodes a JSON string.
func stringOf(quoted string) string {
	for i := range len(quoted) {
		if c := quoted[i]; c == '\\' || c >= 0x80 {
			var s string
			_ = json.Unmarshal([]byte(quoted), &s) // a valid string
			return s
		}
	}
	return quoted[1 : len(quoted)-1]
}

// raw returns a member as it is written, or "". Tokens have some ten claims: a map
// would be slower.
func (o object) raw(name string) string {
	for i := range o {
		if o[i].name == name {
			return o[i].raw
		}
	}
	return ""
}

// has reports whether the member is there and not null, which counts as absent, as
// it does for Turso.
func (o object) has(name string) bool {
	raw := o.raw(name)
	return raw != "" && raw[0] != 'n'
}

// text returns a member that is a string, or "".
func (o object) text(name string) string {
	if raw := o.raw(name); raw != "" && raw[0] == '"' {
		return stringOf(raw)
	}
	return ""
}

// requireText is text for a member that must be a string where it is there.
func (o object) requireText(name string) (string, error) {
	if o.has(name) && o.raw(name)[0] != '"' {
		return "", malformed("claim %s is not a string", name)
	}
	return o.text(name), nil
}

// number returns a member that is a number.
func (o object) number(name string) (float64, bool) {
	// Nothing else that is JSON can be parsed: Inf and NaN aren't, "1" is quoted.
	n, err := strconv.ParseFloat(o.raw(name), 64)
	return n, err == nil
}

// value decodes a member: nil, bool, float64, string, []any or map[string]any.
func (o object) value(name string) any {
	var value any
	if o.has(name) {
		_ = json.Unmarshal([]byte(o.raw(name)), &value) // valid; what float64 can't hold stays nil
	}
	return value
}

// object returns a member that is an object, or nil.
func (o object) object(name string) object {
	if !o.has(name) {
		return nil
	}
	inner, _ := readObject([]byte(o.raw(name)))
	return inner
}
