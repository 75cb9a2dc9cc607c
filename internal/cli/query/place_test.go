package query

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExcerpt(t *testing.T) {
	long := "SELECT " + string(bytes.Repeat([]byte("é"), 200)) + " FROM x"
	for _, test := range []struct {
		text   string
		offset int
		want   string
	}{
		{"SELEC 1", 0, "1 | SELEC 1\n  | ^\n"},
		{"SELECT 1;\r\n\té foo\r\n", 15, "2 |  é foo\n  |    ^\n"},
		{"SELECT", 6, "1 | SELECT\n  |       ^\n"},
		{"a\x1b]0;x", 1, "1 | a ]0;x\n  |  ^\n"},
		{long, len(long) - 1, "1 | …éééééééééééééééééééééééééééééééé FROM x\n  |                                        ^\n"},
	} {
		if diff := cmp.Diff(test.want, excerpt(test.text, test.offset)); diff != "" {
			t.Errorf("excerpt(%q): (-want +got)\n%s", test.text, diff)
		}
	}
}

// FuzzExcerpt checks that an excerpt is two lines without control characters.
func FuzzExcerpt(f *testing.F) {
	f.Add("SELECT 1\n  FRM x", 15)
	f.Add("\x1b]0;\xff\r\n", 3)
	f.Fuzz(func(t *testing.T, text string, offset int) {
		if offset < 0 || offset > len(text) {
			return
		}
		got := excerpt(text, offset)
		if strings.Count(got, "\n") != 2 || strings.ContainsAny(got, "\x1b\r\x07\u009b") || len([]rune(got)) > 2*excerptWidth+100 {
			t.Errorf("excerpt(%q, %d) = %q", text, offset, got)
		}
	})
}
