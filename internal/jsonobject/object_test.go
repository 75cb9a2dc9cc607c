package jwks

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

func TestReadObject(t *testing.T) {
	o, err := readObject([]byte(" { \"a\" : \"x\\\"}\" ,\"A\":\"y\",\n\"\\u00e9\":\"\u00e9\", \"n\":-1.5e3,\"z\":null,\"l\":[{\"b\":[1,2]},\"]\"],\"o\":{\"a\":\"in\"},\"t\":true} "))
	if err != nil {
		t.Fatal(err)
	}
	number, isNumber := o.number("n")
	_, isText := o.number("a")
	for name, equal := range map[string]bool{
		"escaped":     o.text("a") == `x"}`,
		"exact names": o.text("A") == "y",
		"no ASCII":    o.text("é") == "é",
		"number":      isNumber && number == -1500 && !isText,
		"null":        !o.has("z") && o.value("z") == nil && !o.has("missing"),
		"list":        reflect.DeepEqual(o.value("l"), []any{map[string]any{"b": []any{1.0, 2.0}}, "]"}),
		"object":      o.object("o").text("a") == "in" && o.object("l") == nil,
		"bool":        o.value("t") == true && o.text("t") == "",
	} {
		if !equal {
			t.Errorf("%s: %q", name, o)
		}
	}
	for text, want := range map[string]error{
		``: errNotObject, `[]`: errNotObject, `"a"`: errNotObject, `{`: errNotObject, `{}x`: errNotObject, `{"a":1,}`: errNotObject,
		`{"id":"a","id":"b"}`: errTwice, `{"id":"a","\u0069d":"b"}`: errTwice, `{}`: nil,
	} {
		if _, err := readObject([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// What is read is what encoding/json reads.
func FuzzReadObject(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":1,"b":"x\\\"","c":[{},[]],"d":{"e":null},"f":true}`, ` {"" : -0.1e-2 , "é":"é"} `, `{"a":1,"a":2}`, `[1]`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := readObject(text)
		var want map[string]any
		if wantErr := json.Unmarshal(text, &want); wantErr != nil || want == nil {
			// A number beyond float64 is valid JSON all the same.
			if err == nil && json.Valid(text) && want != nil {
				return
			}
			if err == nil {
				t.Fatalf("%q was read", text)
			}
			return
		}
		if errors.Is(err, errTwice) {
			return
		}
		if err != nil || len(o) != len(want) {
			t.Fatalf("%q: %q, %v, want %v", text, o, err, want)
		}
		for name, value := range want {
			if !reflect.DeepEqual(o.value(name), value) {
				t.Fatalf("%q: %s is %v, want %v", text, name, o.value(name), value)
			}
			if s, ok := value.(string); ok && o.text(name) != s {
				t.Fatalf("%q: %s is %q, want %q", text, name, o.text(name), s)
			}
		}
	})
}
