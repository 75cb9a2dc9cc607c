package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/internal/picture"
)

var updatePictures = flag.Bool("update-pictures", false, "draw the terminals of docs/pictures anew")

// TestPictures runs the commands in the pictures of a terminal, and compares their output
// with the pictures.
func TestPictures(t *testing.T) {
	t.Parallel()
	zen, stack := signedIn(t)
	if out, err := zen("db", "query", "-q", "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO notes (body) VALUES ('first light'), ('second thoughts')").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	shows := func(line, last string, args ...string) string {
		t.Helper()
		cmd := zen(args...)
		cmd.Env = append(cmd.Env, "BROWSER=zen --quiet dev browse --user alice")
		term := startTerminalOf(t, 86, cmd) // the replaced values have other lengths, so that the pictures are wider
		term.sees(last)
		return commandLine(line) + pictured(term.text(), stack)
	}
	holdsPicture(t, "login", 66, "A sign-in with Clerk, and a query", shows("zen login", "as alice@example.test.\r\n", "login")+
		shows(`zen db query "SELECT id, body FROM notes"`, "2 rows\r\n", "db", "query", "SELECT id, body FROM notes"))

	if err := stack.Faults.Switch(fault.JWKSStuck, true); err != nil {
		t.Fatal(err)
	}
	holdsPicture(t, "doctor", 92, "What zen doctor says where Turso refuses the issuer's key", shows("zen doctor --only jwks", "skipped\r\n", "doctor", "--only", "jwks"))
}

// commandLine returns a command after the prompt, as in a terminal.
func commandLine(line string) string {
	return "\x1b[36m$\x1b[0m \x1b[1m" + line + "\x1b[0m\n"
}

// pictured returns the terminal's output with the varying parts replaced.
func pictured(shown string, stack *devstack.Stack) string {
	for _, r := range []struct{ form, with string }{
		{`[\w~./-]*/config\.toml`, "~/.config/zen/config.toml"},
		{`[\w~./-]*/profiles/default\.json`, "~/.local/state/zen/profiles/default.json"},
		{`ins_\w+`, "ins_S2oM4DRYAS6sY2ZBdwQ7VGq0cYZ"},
		{`\d\d:\d\d:\d\d UTC`, "14:28:09 UTC"},
		{`\(devel\)`, "v0.1.0"},
	} {
		shown = regexp.MustCompile(r.form).ReplaceAllString(shown, r.with)
	}
	shown = normal(shown, stack, "no directory")
	shown = strings.ReplaceAll(shown, "https://app.example gave", "https://clerk.example.com gave")
	return regexp.MustCompile(`(issuer\s+)https://app\.example`).ReplaceAllString(shown, "${1}https://clerk.example.com")
}

// holdsPicture checks that the picture in docs/pictures shows this output.
func holdsPicture(t *testing.T, name string, columns int, title, shown string) {
	t.Helper()
	got, err := picture.Terminal(title, strings.ReplaceAll(shown, "\n", "\r\n"), columns)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(repository, "docs", "pictures", "terminal-"+name+".svg")
	if *updatePictures {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || !bytes.Equal(want, got) {
		t.Errorf("%s differs (%v); make pictures updates it\n%s", path, err, shown)
	}
}
