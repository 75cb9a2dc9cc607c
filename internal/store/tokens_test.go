package store

import (
	"encoding/json"
	"testing"
)

// FuzzFindToken checks that a token is found as encoding/json finds it, whatever surrounds
// it.
func FuzzFindToken(f *testing.F) {
	for _, text := range []string{
		`{"tokens":{"k":{"value":"v"}}}`,
		`{"tokens":{"a":{"value":"\"}{\\"},"b":[1,{"k":2}],"c":-1.5e3,"d":null,"k":{"value":"é","issued":"2026-01-02T03:04:05Z"}}}`,
		" {\n\t\"tokens\" : { \"a\" : true , \"\\u006b\" : { \"value\" : \"x\\\\\" } } , \"provider\" : \"clerk\" } ",
		`{"tokens":{"k":{"value":"first"},"k":{"value":"last","verification":{"Issuer":"i","Algorithms":["RS256"]}}}}`,
		`{"tokens":{"k":null}}`, `{"tokens":null}`, `{"tokens":[]}`, `{"tokens":{"k":7}}`, `{"tokens":{}}`, `{}`, `null`, `"k"`,
		`{"tokens":{"k":{"value":"cut`, `{"accounts":{"clerk":{"claims":{"Organization":{}}},"x":null}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var lean file
		var token *fileToken
		err := lean.decodeTokens([]byte(text))
		if err == nil {
			token, err = lean.findToken("k")
		}
		if err != nil {
			return // TestFindTokenRefuses covers errors
		}
		var top, tokens, want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &top); err != nil {
			t.Fatalf("%q is accepted, encoding/json says %v", text, err)
		}
		if json.Unmarshal(top["tokens"], &tokens) == nil {
			_ = json.Unmarshal(tokens["k"], &want)
		}
		if (token != nil) != (want != nil) {
			t.Fatalf("%q: found %v, want %v", text, token, want)
		}
		value := ""
		if _ = json.Unmarshal(want["value"], &value); token != nil && token.Value != value {
			t.Errorf("%q: value %q, want %q", text, token.Value, value)
		}
	})
}

func TestFindTokenRefuses(t *testing.T) {
	for _, text := range []string{`[]`, `"k"`, `{"tokens":[]}`, `{"tokens":{"k":7}}`, `{"tokens":{"k":{"value":7}}}`, `{"tokens":{"k":{"value":"v"`, `{} {}`, ``, `{"accounts":3}`, `{"tokens":{"k":{"issued":"yesterday"}}}`} {
		var f file
		err := f.decodeTokens([]byte(text))
		if err == nil {
			_, err = f.findToken("k")
		}
		if err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}
