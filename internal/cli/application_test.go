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

// A program of another module in another directory finds the providers that zen uses: with
// the command line's sign-in it runs for three lifetimes of a token.
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
			t.Fatalf("%s: the application succeeded\n%s", when, out)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q lacks %q", when, out, want)
			}
		}
		if strings.Contains(out, "rows") {
			t.Errorf("%s: the failure came only with a query: %s", when, out)
		}
	}
	zen("login", "--provider", "clerk")
	if out, err := run(application, "-every", "200ms", "-for", (3*life + life/2).String()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out := zen("provider", "list"); !strings.Contains(out, "trusted (bundled)") {
		t.Errorf("zen provider list:\n%s", out)
	}

	// Another copy, which the application finds first, is not trusted yet.
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
	testwait.For(t.Context(), life) // until the stored token has expired
	if out, err := run(application, "-for", "1ms"); err != nil {
		t.Errorf("after zen provider trust PATH: %v\n%s", err, out)
	}
	zen("token", "--access", "ro") // zen's own copy still runs
	if err := os.Remove(copied); err != nil {
		t.Fatal(err)
	}

	// The record counts only if no other user could have written it.
	if state == "" {
		t.Fatal("the stack names no ZEN_STATE_DIR")
	}
	if err := os.Chmod(filepath.Join(state, "installation.toml"), 0o666); err != nil {
		t.Fatal(err)
	}
	fails("a world-writable record", "need provider clerk", "clerk")
	zen("login", "--provider", "clerk") // writes the record again
	if out, err := run(application, "-for", "1ms"); err != nil {
		t.Errorf("after another login: %v\n%s", err, out)
	}
}
