package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/cli/app"
)

func FuzzFlagsFirst(f *testing.F) {
	f.Add("db query SELECT 1 --json")
	f.Add("--profile p dev -- sh -c x")
	f.Add("token --min-ttl 1s -q extra")
	f.Add("exec --access ro sh -c x --json")
	f.Add("exec --watch -- sleep 1")
	f.Fuzz(func(t *testing.T, line string) {
		args := append([]string{"zen"}, strings.Fields(line)...)
		out, err := app.FlagsFirst(fullProgram().App(nil, nil, nil), args)
		if err != nil || slices.Contains(args, "help") { // which becomes --help
			return
		}
		// No argument is lost, and only "--" is added.
		left := slices.Clone(out)
		for _, arg := range args {
			i := slices.Index(left, arg)
			if i < 0 {
				t.Fatalf("FlagsFirst(%q) lost %q: %q", line, arg, out)
			}
			left = slices.Delete(left, i, i+1)
		}
		if len(left) > 1 || len(left) == 1 && left[0] != "--" {
			t.Fatalf("FlagsFirst(%q) = %q", line, out)
		}
	})
}

func TestInternalCommands(t *testing.T) {
	t.Parallel()
	var out, errOut strings.Builder
	for _, command := range []string{"renew", "act"} {
		code := fullProgram().Run(t.Context(), []string{"zen", command}, strings.NewReader("x"), &out, &errOut)
		if code != app.ExitUsage || !strings.Contains(errOut.String(), "a command of zen's own") || out.Len() > 0 {
			t.Errorf("zen %s: exit code %d, stdout %q, stderr %q", command, code, out.String(), errOut.String())
		}
		errOut.Reset()
	}
	if fullProgram().Run(t.Context(), []string{"zen", "--help"}, strings.NewReader(""), &out, &errOut) != app.ExitOK || strings.Contains(out.String(), "renew ") || strings.Contains(out.String(), "act ") {
		t.Errorf("zen --help printed %q", out.String())
	}
}
