package tokenform

import (
	"bytes"
	"encoding/json"
	"testing"
)

// Foreign text in a JSON document can't control the terminal, and decodes to the original.
func TestWriteJSONEscapes(t *testing.T) {
	const account = "bob\u009b2J\u202e\x7f<é>"
	var out bytes.Buffer
	if err := WriteJSON(&out, map[string]string{"account": account}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"account\": \"bob\\u009b2J\\u202e\\u007f<é>\"\n}\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	var read map[string]string
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || read["account"] != account {
		t.Errorf("decoded %q, %v", read, err)
	}
}
