package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// columns splits a table into cells; the first row is the header.
func columns(table string) [][]string {
	var rows [][]string
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line != "" {
			rows = append(rows, regexp.MustCompile(` {2,}`).Split(line, -1))
		}
	}
	return rows
}

// picked returns the cells of the given columns, row by row.
func picked(rows [][]string, heads ...string) []string {
	var all []string
	for _, row := range rows[1:] {
		for _, head := range heads {
			cell := ""
			if at := slices.Index(rows[0], head); at >= 0 && at < len(row) {
				cell = row[at]
			}
			// For a loopback address zen prints the scheme that it uses.
			all = append(all, strings.Replace(cell, "libsql://", "http://", 1))
		}
	}
	return all
}

// The turso CLI and zen list the same, on a healthy stack and with the fault of the report.
func TestListsLikeTheTursoCLI(t *testing.T) {
	if testing.Short() {
		t.Skip("needs foreign clients; make test-all runs it")
	}
	path := os.Getenv("ZEN_TEST_TURSO_CLI")
	if path == "" {
		var err error
		if path, err = exec.LookPath("turso"); err != nil {
			t.Skip("SKIPPED: the turso CLI is missing. Put it on PATH, or name it in ZEN_TEST_TURSO_CLI.")
		}
	}
	zen, stack := signedIn(t)
	environ := append(zen().Env, "TURSO_CONFIG_FOLDER="+filepath.Join(t.TempDir(), "turso"), "NO_COLOR=1")
	run := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Env = environ
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run(path, "org", "switch", "acme")
	same := func(theirs, ours []string, heads ...string) {
		t.Helper()
		want, got := picked(columns(run(path, theirs...)), heads...), picked(columns(run(zen().Path, ours...)), heads...)
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("zen %s lists %q, turso %q", strings.Join(ours, " "), got, want)
		}
	}
	same([]string{"db", "list"}, []string{"db", "list"}, "NAME", "GROUP", "URL")
	same([]string{"org", "jwks", "list"}, []string{"jwks", "list"}, "NAME", "URL")
	if err := stack.Faults.Switch("jwks-stuck", true); err != nil {
		t.Fatal(err)
	}
	same([]string{"org", "jwks", "list"}, []string{"jwks", "list"}, "NAME", "URL")
}
