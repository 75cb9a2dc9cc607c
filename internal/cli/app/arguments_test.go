package app

import (
	"io"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// A command without an ArgsUsage takes no arguments, which it doesn't have to check.
func TestArgumentsThatNobodyReads(t *testing.T) {
	for _, test := range []struct {
		usage string
		args  []string
		want  string // empty if the command runs
	}{
		{"", nil, ""},
		{"", []string{"extra"}, `unexpected argument "extra"`},
		{"", []string{"--", "extra"}, `unexpected argument "extra"`},
		{"[NAME]", []string{"extra"}, ""},
	} {
		ran := false
		p := Program{Commands: []*cli.Command{{Name: "do", ArgsUsage: test.usage, Action: func(*cli.Context) error {
			ran = true
			return nil
		}}}}
		_, err := p.Perform(t.Context(), append([]string{"zen", "do"}, test.args...), strings.NewReader(""), io.Discard, io.Discard)
		switch {
		case test.want == "" && (err != nil || !ran):
			t.Errorf("zen do %q with the usage %q: %v, ran %t; want it to run", test.args, test.usage, err, ran)
		case test.want != "" && (err == nil || err.Error() != test.want || ran):
			t.Errorf("zen do %q with the usage %q: %v, ran %t; want %s", test.args, test.usage, err, ran, test.want)
		}
	}
}
