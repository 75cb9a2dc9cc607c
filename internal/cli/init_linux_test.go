package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// A user without a configuration accepts the defaults of zen init, and queries the database.
// The terminal is the picture in docs.
func TestInitAtATerminal(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	stack := devstacktest.Start(t, devstack.Options{})
	dir := t.TempDir()
	environ := inStack(t, stack, dir, append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "BROWSER=zen --quiet dev browse --user alice", "CI=", "TERM=xterm", "NO_COLOR=1"))
	// The environment has no configuration, only the stack's addresses.
	environ = append(environ, "ZEN_CONFIG=", "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "ZEN_STATE_DIR="+filepath.Join(dir, "state"), "ZEN_STORAGE=file",
		"TURSO_DATABASE_URL=", "TURSO_CONFIG_FOLDER="+filepath.Join(dir, "turso"))
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, "zen"), args...)
		cmd.Env, cmd.Dir = environ, work
		return cmd
	}
	term := startTerminal(t, run("init"))
	term.sees("Databases at Turso: app.")
	for _, question := range []string{"name at Turso [app]: ", "[clerk]: ", "(empty is the same): ", "(empty is none): ", "publishable key ["} {
		term.sees(question)
		term.types("\r")
	}
	term.sees("authorises terminals (empty is none): ")
	term.types(stack.URL() + "/app/cli\r")
	term.sees("Sign in now (yes, no) [yes]: ")
	term.types("\r")
	term.sees("It works: SELECT 1")
	term.sees("zen connect node")
	out, err := run("db", "query", "SELECT 1").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1 row") {
		t.Fatalf("%v\n%s", err, out)
	}

	got := "$ zen init\n" + normal(term.text(), stack, dir) + "$ zen db query \"SELECT 1\"\n" + string(out)
	colourful := got
	for _, line := range []string{"zen init", `zen db query "SELECT 1"`} {
		colourful = strings.Replace(colourful, "$ "+line+"\n", commandLine(line), 1)
	}
	holdsPicture(t, "init", 92, "zen init writes a profile, signs in and proves it", colourful)
	shown := find(t, pageBlocks(t), "docs/configuration.md", "zen init")
	shown.compare(t, shown.text, got)
}

// text returns the terminal's output so far.
func (term *terminal) text() string { return term.shown.String() }

// normal returns the terminal's output with the values of this run replaced.
func normal(shown string, stack *devstack.Stack, dir string) string {
	shown = strings.NewReplacer("\r", "", stack.URL()+"/dbs/app", "libsql://app-acme.turso.io", stack.URL(), "https://app.example",
		stack.DatabaseID(), "33057661-834e-4891-9b48-802d425d02b9", dir+"/config", "~/.config").Replace(shown)
	for _, r := range []struct{ form, with string }{
		{`pk_test_[A-Za-z0-9+/=]+`, "pk_live_Y2xlcmsuYXBwLmV4YW1wbGUk"},
		{`took [0-9.]+[mµ]?s`, "took 1.2ms"},
		{`https://app\.example/app/cli\?\S+`, "https://app.example/app/cli?..."},
		{`the code [A-Z0-9-]+`, "the code GAV6-DTX4"},
		{`clerk: Does the browser end at .*\n`, ""}, // comes with the first answer, or before it
	} {
		shown = regexp.MustCompile(r.form).ReplaceAllString(shown, r.with)
	}
	return shown
}
