package text

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// drawing has each kind of special character: escape, OSC, DEL, C1, a raw C1 byte, a
// direction, separators.
const drawing = "ü\x1b]0;t\a\x7f\u009b2J\x9b\u202e\u2028\u2029日本"

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		drawing:      `ü\x1b]0;t\x07\x7f\u009b2J\x9b\u202e\u2028\u2029日本`,
		"a\r\n\tb":   `a\r\n\tb`,
		"日本 plain":   "日本 plain",
		"\uFFFD cut": "\uFFFD cut",
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}

// The terminal gets the same text, however it is split into writes.
func TestTerminal(t *testing.T) {
	in := drawing + "\tand\r\n"
	want := Visible(drawing) + "\tand\\r\n"
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(in), "bytes": iotest.OneByteReader(strings.NewReader(in))} {
		var out bytes.Buffer
		if n, err := io.Copy(struct{ io.Writer }{Terminal(&out)}, r); err != nil || n != int64(len(in)) {
			t.Fatal(n, err)
		}
		if out.String() != want {
			t.Errorf("%s: %q, want %q", name, out.String(), want)
		}
	}
}

func TestJSON(t *testing.T) {
	in := map[string]string{"<é>": strings.ToValidUTF8(drawing, "")}
	data, err := JSON(in, "  ")
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.ReplaceAll(strings.TrimSuffix(string(data), "\n"), "\n", ""); !IsPlain(text) || !strings.Contains(text, "<é>") {
		t.Errorf("JSON is not plain: %q", data)
	}
	var out map[string]string
	if err := json.Unmarshal(data, &out); err != nil || out["<é>"] != in["<é>"] {
		t.Errorf("decoded %q, %v", out, err)
	}
	if _, err := JSON(func() {}, ""); err == nil {
		t.Error("JSON of a function returned no error")
	}
}
