package jsonobject

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	o, err := Read([]byte(" { \"a\" : \"x\\\"}\" ,\"A\":\"y\",\n\"\\u00e9\":\"\u00e9\", \"n\":-1.5e3,\"z\":null,\"l\":[{\"b\":[1,2]},\"]\"],\"o\":{\"a\":\"in\"},\"t\":true} "))
	if err != nil {
		t.Fatal(err)
	}
	number, isNumber := o.Number("n")
	_, isText := o.Number("a")
	for name, equal := range map[string]bool{
		"escaped":     o.Text("a") == `x"}`,
		"exact names": o.Text("A") == "y",
		"no ASCII":    o.Text("é") == "é",
		"number":      isNumber && number == -1500 && !isText,
		"null":        !o.Has("z") && o.Value("z") == nil && !o.Has("missing"),
		"list":        reflect.DeepEqual(o.Value("l"), []any{map[string]any{"b": []any{1.0, 2.0}}, "]"}),
		"object":      o.Object("o").Text("a") == "in" && o.Object("l") == nil,
		"bool":        o.Value("t") == true && o.Text("t") == "",
	} {
		if !equal {
			t.Errorf("%s: %q", name, o)
		}
	}
	for text, want := range map[string]error{
		``: ErrNotObject, `[]`: ErrNotObject, `"a"`: ErrNotObject, `{`: ErrNotObject, `{}x`: ErrNotObject, `{"a":1,}`: ErrNotObject,
		`{"id":"a","id":"b"}`: ErrTwice, `{"id":"a","\u0069d":"b"}`: ErrTwice, `{}`: nil,
	} {
		if _, err := Read([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestValue(t *testing.T) {
	o, err := Read([]byte(`{"l":[ 1 , "a,]" ,[{}], null ],"e":[],"o":{"a":1,"a":2},"s":"x","n":null}`))
	if err != nil {
		t.Fatal(err)
	}
	elements, ok := o.Raw("l").Elements()
	if want := []Value{"1", `"a,]"`, "[{}]", "null"}; !ok || !slices.Equal(elements, want) {
		t.Errorf("%q, want %q", elements, want)
	}
	if elements, ok := o.Raw("e").Elements(); !ok || len(elements) > 0 {
		t.Errorf("of the empty list: %q, %t", elements, ok)
	}
	for _, name := range []string{"o", "s", "n", "missing"} {
		if elements, ok := o.Raw(name).Elements(); ok {
			t.Errorf("%s has elements: %q", name, elements)
		}
	}
	var members []Member
	for name, value := range o.Raw("o").Members() {
		members = append(members, Member{name, value})
	}
	if want := []Member{{"a", "1"}, {"a", "2"}}; !slices.Equal(members, want) {
		t.Errorf("%q, want %q", members, want)
	}
	for name, value := range o.Raw("l").Members() {
		t.Errorf("the list has a member %s: %s", name, value)
	}
	if _, err := o.Raw("o").Object(); !errors.Is(err, ErrTwice) {
		t.Errorf("a name that comes twice: %v", err)
	}
	if text, ok := o.Raw("s").Text(); !ok || text != "x" {
		t.Errorf("%q, %t", text, ok)
	}
	if _, ok := o.Raw("l").Text(); ok || o.Raw("l").IsNull() || !o.Raw("n").IsNull() || !o.Raw("missing").IsNull() {
		t.Error("a value of another type")
	}
}

// Names that come twice are found among few and among many.
func TestTwice(t *testing.T) {
	for _, n := range []int{1, fewMembers - 1, fewMembers, fewMembers + 1, 2 * fewMembers, 100000} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, `,"%d":1`, i)
		}
		once := text.String()[1:]
		if o, err := Read([]byte("{" + once + "}")); err != nil || len(o) != n || o.Raw(strconv.Itoa(n-1)) != "1" {
			t.Errorf("%d members: %d, %v", n, len(o), err)
		}
		for _, i := range []int{0, n / 2, n - 1} {
			if _, err := Read(fmt.Appendf(nil, `{%s,"%d":2}`, once, i)); !errors.Is(err, ErrTwice) {
				t.Errorf("%d members, and %d again: %v", n, i, err)
			}
		}
	}
}

func TestAmbiguousValues(t *testing.T) {
	for _, value := range []string{
		`{"a":1,"a":1}`, `[{"b":{"a":1,"\u0061":2}}]`, `1e400`, `[-1e400]`, strings.Repeat("[", maxDecoded+1) + strings.Repeat("]", maxDecoded+1),
	} {
		o, err := Read([]byte(`{"v":` + value + `}`))
		if err != nil {
			t.Fatal(err)
		}
		switch got := o.Value("v").(type) {
		case nil, bool, float64, string, []any, map[string]any:
			t.Errorf("%s is decoded as %v", value, got)
		}
		if !ambiguous(t, value) {
			t.Errorf("encoding/json reads %s in one way", value)
		}
	}
}

// ambiguous reports by encoding/json whether a value is deep, has a number beyond float64, or
// an object with fewer members than it is written with.
func ambiguous(t *testing.T, text string) bool {
	depth, deepest, written := 0, 0, 0
	tokens := json.NewDecoder(strings.NewReader(text))
	tokens.UseNumber()
	for {
		token, err := tokens.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
			continue
		}
		written++
		deepest = max(deepest, depth)
	}
	var value any
	return json.Unmarshal([]byte(text), &value) != nil || deepest >= maxDecoded || size(value) < written
}

// size counts the tokens of a value, without those that close a list or object.
func size(value any) int {
	n := 1
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			n += size(element)
		}
	case map[string]any:
		for _, member := range value {
			n += 1 + size(member)
		}
	}
	return n
}

// What is read is what encoding/json reads.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":1,"b":"x\\\"","c":[{},[]],"d":{"e":null},"f":true}`, ` {"" : -0.1e-2 , "é":"é"} `, `{"a":1,"a":2}`, `[1]`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := Read(text)
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
		if errors.Is(err, ErrTwice) {
			return
		}
		if err != nil || len(o) != len(want) {
			t.Fatalf("%q: %q, %v, want %v", text, o, err, want)
		}
		for name, value := range want {
			if o.Value(name) == errAmbiguous {
				if !ambiguous(t, string(o.Raw(name))) {
					t.Fatalf("%q: %s isn't decoded", text, name)
				}
				continue
			}
			if !reflect.DeepEqual(o.Value(name), value) {
				t.Fatalf("%q: %s is %v, want %v", text, name, o.Value(name), value)
			}
			if s, ok := value.(string); ok && o.Text(name) != s {
				t.Fatalf("%q: %s is %q, want %q", text, name, o.Text(name), s)
			}
		}
	})
}
