//go:build cgo && linux && (amd64 || arm64)

package replica_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/testwait"
)

// Nothing leaks: no file descriptors, no goroutines, and no files other than the replica's
// own.
func TestNothingIsLeftBehind(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	o.SyncInterval = 100 * time.Millisecond
	use := func() {
		db := open(t, o)
		exec(t, db, "CREATE TABLE IF NOT EXISTS t (a)")
		exec(t, db, "INSERT INTO t VALUES (1)")
		sees(t, db, "SELECT count(*) > 0 FROM t", 1)
		must(t, db.Close())
	}
	for range 3 {
		use()
	}
	descriptors, goroutines := settled()
	for range 20 {
		use()
	}
	testwait.Until(t, fmt.Sprintf("no more than %d descriptors and %d goroutines", descriptors+2, goroutines+2), func() bool {
		d, g := settled()
		return d <= descriptors+2 && g <= goroutines+2
	})
	for _, name := range files(t, o.Path) {
		switch name {
		case "replica.db", "replica.db-wal", "replica.db-shm", "replica.db-info", "replica.db-zen":
		default:
			t.Errorf("%s is left", name)
		}
	}
}

func settled() (descriptors, goroutines int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries), runtime.NumGoroutine()
}
