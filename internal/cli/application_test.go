package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/testwait"
)

// A program of another module, somewhere else than zen, finds the providers that zen
// uses: signed in by the command line, it runs for three lives of a token.
func TestApplicationUsesTheProvidersOfTheCommandLine(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	const life = 3 * time.Second
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: life})
	work, elsewhere := t.TempDir(), t.TempDir()
	variables, err := stack.Environment(work)
	if err != nil {
		t.Fatal(err)
	}
	environment := append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"BROWSER=zen dev browse --user alice", "CI=", "TERM=xterm")
	state := ""
	for _, v := range variables {
		environment = append(environment, v.Name+"="+v.Value)
		if v.Name == "ZEN_STATE_DIR" {
			state = v.Value
		}
	}
	application := filepath.Join(elsewhere, "application"+programs.Exe)
	if err := goBuild("../../examples/application", application); err != nil {
		t.Fatal(err)
	}
	run := func(program string, args ...string) (string, error) {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Env, cmd.Dir = environment, work
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	zen := func(args ...string) string {
		t.Helper()
		out, err := run(filepath.Join(bin, "zen"+programs.Exe), args...)
		if err != nil {
			t.Fatalf("zen %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	fails := func(when string, wants ...string) {
		t.Helper()
		out, err := run(application, "-for", "1ms")
		if err == nil {
			t.Fatalf("%s: it ran\n%s", when, out)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q lacks %q", when, out, want)
			}
		}
		if strings.Contains(out, "rows") {
			t.Errorf("%s: only a query said so: %s", when, out)
		}
	}
	zen("login", "--provider", "clerk")
	if out, err := run(application, "-every", "200ms", "-for", (3*life + life/2).String()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out := zen("provider", "list"); !strings.Contains(out, "trusted (bundled)") {
		t.Errorf("zen provider list:\n%s", out)
	}

	// Another copy, which the application finds first: nobody has said that it may run.
	name := "zen-provider-clerk" + programs.Exe
	content, err := os.ReadFile(filepath.Join(bin, name))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(elsewhere, name)
	if err := os.WriteFile(copied, append(content, '\n'), 0o700); err != nil {
		t.Fatal(err)
	}
	fails("a copy that is not pinned", "need provider clerk", copied)
	zen("provider", "trust", copied)
	testwait.For(t.Context(), life) // the token that is stored
	if out, err := run(application, "-for", "1ms"); err != nil {
		t.Errorf("after zen provider trust PATH: %v\n%s", err, out)
	}
	zen("token", "--access", "ro") // and its own copy runs still
	if err := os.Remove(copied); err != nil {
		t.Fatal(err)
	}

	// The record counts only where nobody else could have written it.
	if state == "" {
		t.Fatal("the stack names no ZEN_STATE_DIR")
	}
	if err := os.Chmod(filepath.Join(state, "installation.toml"), 0o666); err != nil {
		t.Fatal(err)
	}
	fails("an open record", "need provider clerk", "clerk")
	zen("login", "--provider", "clerk") // writes it anew
	if out, err := run(application, "-for", "1ms"); err != nil {
		t.Errorf("after another login: %v\n%s", err, out)
	}
}
