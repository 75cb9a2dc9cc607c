package jsonobject

import (
	"encoding/json"
	"strings"
	"testing"
)

var texts = []string{
	``, ` `, `null`, `nul`, `true `, `false`, `falsee`, `0`, `-0`, `01`, `-`, `1.`, `1.5`, `.5`, `1e`, `1e+`, `1E-05`, `+1`, `""`, `"`, `"a`, `"\`, `"\"`, `"\\"`,
	`"\u00e9"`, `"\u00g9"`, `"\u00e"`, `"\x"`, "\"a\tb\"", "\"\x7f\xff\"", `"0123456\"89\\"`, `"01234567\/`, "\"012345678901234\x00\"", `[]`, `[ ]`, `[1,2]`, `[1,]`,
	`[,1]`, `[1 2]`, `[1`, `{}`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{1:1}`, `{"a":1 "b":2}`, `{"a" : [ { } , "x" ] }`, `{}{}`, `[}`, `{]`, "\ufeff{}", "{}\v",
}

func TestValid(t *testing.T) {
	for _, text := range texts {
		if got, want := valid([]byte(text)), json.Valid([]byte(text)); got != want {
			t.Errorf("valid(%q) = %t, want %t", text, got, want)
		}
	}
	for depth := maxDepth - 1; depth <= maxDepth+1; depth++ {
		for _, text := range []string{strings.Repeat("[", depth) + strings.Repeat("]", depth), strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)} {
			if got, want := valid([]byte(text)), json.Valid([]byte(text)); got != want {
				t.Errorf("%d nested values: %t, want %t", depth, got, want)
			}
		}
	}
}

// Each byte at each place of the eight that are looked at together.
func TestSpecialBytes(t *testing.T) {
	for c := range 256 {
		for at := range 17 {
			text := []byte(`"abcdefghijklmnopq"`)
			text[1+at] = byte(c)
			if got, want := valid(text), json.Valid(text); got != want {
				t.Errorf("valid(%q) = %t, want %t", text, got, want)
			}
		}
	}
}

func FuzzValid(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := valid(text), json.Valid(text); got != want {
			t.Fatalf("valid(%q) = %t, want %t", text, got, want)
		}
	})
}
