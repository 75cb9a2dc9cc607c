//go:build !windows

package cli

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/testwait"
)

// TestQueryInterrupted: Ctrl-C ends a statement that streams, here and at the server,
// with its exit code and one line.
func TestQueryInterrupted(t *testing.T) {
	t.Parallel()
	zen, _ := signedIn(t)
	if out, err := zen("db", "query", "CREATE TABLE t (n)").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n"
	// The rows are large, since the server first makes the 10 MB of an answer that it refuses.
	const rows = endless + ", zeroblob(20000) FROM c"
	for name, statement := range map[string]string{"rows": rows, "a write": "INSERT INTO t " + endless + " FROM c"} {
		cmd := zen("db", "query", "--format", "csv", statement)
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
			testwait.For(t.Context(), 500*time.Millisecond) // nothing shows that it runs
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
	// The interrupted write is no longer in the way.
	if out, err := zen("db", "query", "INSERT INTO t VALUES (1)").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
