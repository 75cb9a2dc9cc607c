package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"as it is, ünïcode 日本":           "as it is, ünïcode 日本",
		"a\x1b[31mred\x1b]0;title\a":     "a[31mred]0;title",
		"C1 \u009b2J":                    "C1 2J",
		"raw C1 \x9b2J":                  "raw C1 \uFFFD2J",
		"turned \u202eback\u2069":        "turned back",
		"two\r\nlines\tand\u2028three\n": "two  lines and three",
		"caf\xe9":                        "caf\uFFFD",
		" \x00 ":                         "",
	} {
		if got := Line(in, 1<<10); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Line(strings.Repeat("ü", 100), 20); got != strings.Repeat("ü", 8)+"…" {
		t.Errorf("cut to %q", got)
	}
}

func TestLines(t *testing.T) {
	if got := Lines("a\tb\r\n\x1b[2Jc\u009b\u202e\n"); got != "a\tb\n[2Jc\n" {
		t.Errorf("Lines = %q", got)
	}
}

func TestReason(t *testing.T) {
	for in, want := range map[string]string{
		`{"error":"the  token\nis old"}`:           "the token is old",
		`{"error":"","message":"Nothing here"}`:    "Nothing here",
		`{"error":{"code":1},"message":"of sqld"}`: "of sqld",
		`{"error":1}`:           `{"error":1}`,
		" upstream\r\nfailed ":  "upstream failed",
		"":                      "",
		strings.Repeat("x", 30): strings.Repeat("x", 17) + "…",
	} {
		if got := Reason([]byte(in), 20); got != want {
			t.Errorf("Reason(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{
		"The grant is invalid.":            "The grant is invalid",
		"\x1b[1mInvalid\n":                 "[1mInvalid",
		"code " + strings.Repeat("x", 51):  "",
		strings.Repeat("many words ", 100): strings.Repeat("many words ", 100)[:157] + "…",
		"":                                 "",
	} {
		if got := Sentence(in, 50); got != want {
			t.Errorf("Sentence(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\x1b[2J\u202e\xff日本", 7)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = max(3, most%1000)
		if got := Line(s, most); len(got) > most || !IsPlain(got) {
			t.Errorf("Line(%q, %d) = %q", s, most, got)
		}
		if got := Lines(s); strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && r != '\t' && Draws(r) }) {
			t.Errorf("Lines(%q) = %q", s, got)
		}
		if got := Sentence(s, 50); len(got) > 160 || !utf8.ValidString(got) {
			t.Errorf("Sentence(%q) = %q", s, got)
		}
	})
}
