//go:build !windows

package cli

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/testwait"
)

// TestQueryInterrupted checks that Ctrl-C ends a running statement in zen and at the server,
// with one line and exit code 130.
func TestQueryInterrupted(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	stack := devstacktest.Start(t, devstack.Options{})
	seen, address := newCountingProxy(t, stack.DatabaseURL())
	home := newProxiedHome(t, bin, stack, address)
	home.zen("db", "query", "CREATE TABLE t (n)")
	const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n"
	// The rows are large because the server first computes 10 MB of a response before it
	// refuses it.
	const rows = endless + ", zeroblob(20000) FROM c"
	for name, statement := range map[string]string{"rows": rows, "a write": "INSERT INTO t " + endless + " FROM c"} {
		_, before := seen.count()
		cmd := home.command(t.Context(), "db", "query", "--database", address, "--format", "csv", statement)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if statement == rows {
			lines.Scan()
		} else {
			testwait.Until(t, "the request", func() bool { _, requests := seen.count(); return requests > before })
			testwait.For(t.Context(), 100*time.Millisecond) // no output shows that the statement runs
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != app.ExitInterrupted || stderr.String() != "zen: interrupted\n" {
			t.Errorf("%s: exit code %d\n%s", name, code, stderr.String())
		}
	}
	// The interrupted write no longer holds the lock.
	home.zen("db", "query", "INSERT INTO t VALUES (1)")
}
