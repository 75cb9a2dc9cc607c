package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// raw is a JSON object whose members are decoded when they are asked for. To decode one
// into a struct, encoding/json first has to learn the struct: for the whole file that
// takes 0.15 ms of a process, more than everything else that is done with it.
type raw map[string][]byte

var errNotObject = errors.New("not a JSON object")

// decodeTokens decodes what a reader of tokens needs, but for the tokens: of these it
// wants one, and looks for it when it knows which (findToken). The names are exact, as zen
// writes them.
func (f *file) decodeTokens(data []byte) error {
	if !json.Valid(data) {
		return errNotObject
	}
	d := decoder{}
	top := d.object(data)
	d.get(top, "schema_version", &f.SchemaVersion)
	d.get(top, "profile", &f.Profile)
	d.get(top, "key", &f.Key)
	d.get(top, "sealed", &f.Sealed)
	d.get(top, "provider", &f.Provider)
	d.get(top, "detours", &f.Breakers)
	d.get(top, "refusals", &f.Refusals)
	f.undecoded = top["tokens"]
	f.Accounts = make(map[string]fileAccount)
	for name, value := range d.object(top["accounts"]) {
		var a fileAccount
		account := d.object(value)
		d.get(account, "env_names", &a.EnvNames)
		claims := d.object(account["claims"])
		if organization := d.object(claims["Organization"]); organization != nil {
			a.Claims.Organization = &provider.Organization{}
			d.get(organization, "ID", &a.Claims.Organization.ID)
			d.get(organization, "Slug", &a.Claims.Organization.Slug)
		}
		f.Accounts[name] = a
	}
	return d.err
}

// findToken decodes the token of a key, and is nil where there is none. The others are read
// over.
func (f *file) findToken(key string) (*fileToken, error) {
	d := decoder{}
	var found []byte
	for name, value := range d.members(f.undecoded) {
		if string(name) == key {
			found = value
		}
	}
	token := d.object(found)
	if token == nil {
		return nil, d.err
	}
	t := &fileToken{}
	d.get(token, "value", &t.Value)
	t.Issued, t.Expires = d.time(token, "issued"), d.time(token, "expires")
	if v := d.object(token["verification"]); v != nil {
		t.Verification = &provider.Verification{}
		d.get(v, "Issuer", &t.Verification.Issuer)
		d.get(v, "KeySetURL", &t.Verification.KeySetURL)
		d.get(v, "Algorithms", &t.Verification.Algorithms)
	}
	return t, d.err
}

// decoder keeps the first error. All that it is given is valid JSON.
type decoder struct{ err error }

func (d *decoder) get(from raw, name string, to any) {
	value, ok := from[name]
	if !ok || d.err != nil {
		return
	}
	d.err = json.Unmarshal(value, to)
}

func (d *decoder) time(from raw, name string) time.Time {
	text := ""
	d.get(from, name, &text)
	if text == "" || d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	d.err = err
	return t
}

// object has the members of an object; it is nil for null and for nothing.
func (d *decoder) object(value []byte) raw {
	if len(value) == 0 || value[0] == 'n' {
		return nil
	}
	o := raw{}
	for name, value := range d.members(value) {
		o[string(name)] = value
	}
	return o
}

// members yields the names and values of an object as they are written. Nothing and null
// have none.
func (d *decoder) members(value []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		rest := space(value)
		if len(rest) == 0 || rest[0] == 'n' || d.err != nil {
			return
		}
		if rest[0] != '{' {
			d.err = errNotObject
			return
		}
		for rest = space(rest[1:]); rest[0] != '}'; {
			end := valueEnd(rest)
			name := rest[1 : end-1]
			if bytes.IndexByte(name, '\\') >= 0 {
				var plain string
				_ = json.Unmarshal(rest[:end], &plain) // a valid string
				name = []byte(plain)
			}
			rest = space(space(rest[end:])[1:]) // past the colon
			end = valueEnd(rest)
			if !yield(name, rest[:end]) {
				return
			}
			if rest = space(rest[end:]); rest[0] == ',' {
				rest = space(rest[1:])
			}
		}
	}
}

func space(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

// valueEnd returns the end of the value that valid JSON begins with.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			if depth > 0 || i+1 < len(text) && bytes.IndexByte([]byte(",]} \t\r\n"), text[i+1]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
}

// stringEnd returns the end of the string that valid JSON begins with.
func stringEnd(text []byte) int {
	for i := 1; ; i++ {
		i += bytes.IndexByte(text[i:], '"')
		escapes := 0
		for text[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}
