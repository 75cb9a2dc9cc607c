// Package jsonobject reads JSON objects whose values are decoded when they are asked for.
// To decode one into a struct, encoding/json first has to learn the struct, and reads each
// text twice: of zen token that would be a tenth.
package jsonobject

import (
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"strings"
)

// Object is a JSON object. Its names and values are those of one text, which was checked
// as a whole.
//
// It differs from what encoding/json makes of an object in two ways. Names count
// as they are written: decoding to a struct takes "ID" for "id", so that zen would
// see a claim where Turso sees none, and grants everything. And a name may come
// once (RFC 7519 section 4 leaves that to the reader): of two, zen and Turso might
// take different ones. It is also faster, as most claims are of no interest.
type Object []Member

// Member is a name, and its value as it is written.
type Member struct {
	Name string
	Raw  Value
}

// Value is the text of a value: well-formed JSON, or "" for none.
type Value string

// What is no object for Read.
var (
	ErrNotObject = errors.New("a JSON object")
	ErrTwice     = errors.New("free of names that come twice")
)

// Read reads an object. The error is ErrNotObject or ErrTwice, which say what the text is
// not.
func Read(encoded []byte) (Object, error) {
	if !valid(encoded) {
		return nil, ErrNotObject
	}
	// From here on the text is well-formed, and so is everything that is skipped.
	text := string(encoded)
	return Value(text[skipSpace(text, 0):]).Object()
}

// Object returns the value as an object. Errors are those of Read.
func (v Value) Object() (Object, error) {
	if v == "" || v[0] != '{' {
		return nil, ErrNotObject
	}
	o := make(Object, 0, min(1+strings.Count(string(v), ","), fewMembers))
	known := map[string]bool{} // the names, if they are many
	for name, value := range v.Members() {
		if len(o) == fewMembers {
			for _, member := range o {
				known[member.Name] = true
			}
		}
		if len(o) < fewMembers && o.Raw(name) != "" || known[name] {
			return nil, ErrTwice
		}
		if len(o) >= fewMembers {
			known[name] = true
		}
		o = append(o, Member{name, value})
	}
	return o, nil
}

// fewMembers is the number of members up to which each name is compared with all before it. An
// issuer's key set may have 100,000.
const fewMembers = 32

// Members yields the members of an object as they come, also one that comes twice. Any
// other value has none. It is for an object of many, where each name would be compared
// with all before it.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(name string, value Value) bool) {
		text := string(v)
		if text == "" || text[0] != '{' {
			return
		}
		for i := skipSpace(text, 1); text[i] != '}'; {
			end := valueEnd(text, i)
			name := stringOf(text[i:end])
			i = skipSpace(text, skipSpace(text, end)+1) // past the colon
			end = valueEnd(text, i)
			if !yield(name, Value(text[i:end])) {
				return
			}
			if i = skipSpace(text, end); text[i] == ',' {
				i = skipSpace(text, i+1)
			}
		}
	}
}

// Elements returns the elements of a list; ok is false if the value is none.
func (v Value) Elements() (elements []Value, ok bool) {
	text := string(v)
	if text == "" || text[0] != '[' {
		return nil, false
	}
	for i := skipSpace(text, 1); text[i] != ']'; {
		end := valueEnd(text, i)
		elements = append(elements, Value(text[i:end]))
		if i = skipSpace(text, end); text[i] == ',' {
			i = skipSpace(text, i+1)
		}
	}
	return elements, true
}

// Text returns the value as a string; ok is false if it is none.
func (v Value) Text() (text string, ok bool) {
	if v == "" || v[0] != '"' {
		return "", false
	}
	return stringOf(string(v)), true
}

// IsNull reports whether the value is null, or none.
func (v Value) IsNull() bool { return v == "" || v[0] == 'n' }

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
			if i = stringEnd(text, i); depth == 0 {
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

// stringEnd returns the place of the quote that ends the string which begins at i.
func stringEnd(text string, i int) int {
	for from := i + 1; ; from = i + 1 {
		i = from + strings.IndexByte(text[from:], '"')
		before := i
		for text[before-1] == '\\' {
			before--
		}
		if (i-before)%2 == 0 { // the quote isn't escaped
			return i
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

// Raw returns the value of a member, or "". Tokens have some ten claims: a map would be
// slower.
func (o Object) Raw(name string) Value {
	for i := range o {
		if o[i].Name == name {
			return o[i].Raw
		}
	}
	return ""
}

// Has reports whether the member is there and not null, which counts as absent, as
// it does for Turso.
func (o Object) Has(name string) bool { return !o.Raw(name).IsNull() }

// Text returns a member that is a string, or "".
func (o Object) Text(name string) string {
	text, _ := o.Raw(name).Text()
	return text
}

// Number returns a member that is a number.
func (o Object) Number(name string) (float64, bool) {
	// Nothing else that is JSON can be parsed: Inf and NaN aren't, "1" is quoted.
	n, err := strconv.ParseFloat(string(o.Raw(name)), 64)
	return n, err == nil
}

// Value decodes a member: nil, bool, float64, string, []any or map[string]any. It is of none of
// these types if there is a number in it that float64 can't hold, an object with a name that
// comes twice, or a value below maxDecoded others: readers of such a value may differ.
func (o Object) Value(name string) any {
	raw := o.Raw(name)
	if raw.IsNull() {
		return nil
	}
	value, ok := raw.decode(maxDecoded)
	if !ok {
		return errAmbiguous
	}
	return value
}

var errAmbiguous = errors.New("a value that readers may take for different ones")

// maxDecoded is how deep values are nested that are decoded. Each level is read again by each
// one around it.
const maxDecoded = 8

// decode decodes a value; ok is false for what Value doesn't decode. encoding/json would take a
// seventieth of zen token, for its tables alone.
func (v Value) decode(depth int) (value any, ok bool) {
	if depth == 0 {
		return nil, false
	}
	switch v[0] {
	case 'n':
		return nil, true
	case 't', 'f':
		return v[0] == 't', true
	case '"':
		return stringOf(string(v)), true
	case '[':
		elements, _ := v.Elements()
		list := make([]any, len(elements))
		for i, element := range elements {
			if list[i], ok = element.decode(depth - 1); !ok {
				return nil, false
			}
		}
		return list, true
	case '{':
		members := map[string]any{}
		for name, member := range v.Members() {
			if _, twice := members[name]; twice {
				return nil, false
			}
			if members[name], ok = member.decode(depth - 1); !ok {
				return nil, false
			}
		}
		return members, true
	}
	number, err := strconv.ParseFloat(string(v), 64)
	return number, err == nil
}

// Object returns a member that is an object, or nil.
func (o Object) Object(name string) Object {
	inner, _ := o.Raw(name).Object()
	return inner
}
