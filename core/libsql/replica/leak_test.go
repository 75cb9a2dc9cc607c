//go:build cgo && linux && (amd64 || arm64)

package replica_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// What was opened is closed: descriptors, goroutines, and files other than a
// replica's own.
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
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		d, g := settled()
		if d <= descriptors+2 && g <= goroutines+2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors and %d goroutines, before %d and %d", d, g, descriptors, goroutines)
		}
	}
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
