package cli

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/testwait"
)

// The key set breaks while a replica is written: with a fallback no write fails and every row
// is read back; without one the file can still be read.
func TestReplicaWhenTheKeySetBreaks(t *testing.T) {
	t.Parallel()
	if !replica.Linked {
		t.Skip("SKIPPED: this zen was built without go-libsql")
	}
	stack := devstacktest.Start(t, devstack.Options{})
	p := newProgram(t, stack, withFallback)
	path := filepath.Join(p.dir, "replica.db")
	db, err := p.client.OpenSession(t.Context(), p.session, libsql.Options{Path: path, SyncInterval: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE ledger (who INTEGER, n INTEGER, UNIQUE (who, n))"); err != nil {
		t.Fatal(err)
	}
	var written atomic.Int64
	var workers sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for who := range 4 {
		workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := db.ExecContext(t.Context(), "INSERT INTO ledger VALUES (?, ?)", who, n); err != nil {
					t.Errorf("write %d of worker %d: %v", n, who, err)
					return
				}
				written.Add(1)
				var rows int
				if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM ledger WHERE who = ?", who).Scan(&rows); err != nil || rows != n+1 {
					t.Errorf("worker %d read %d of its %d rows: %v", who, rows, n+1, err)
					return
				}
			}
		})
	}
	goOn := func() {
		before := written.Load()
		testwait.Until(t, "50 more writes", func() bool { return written.Load() >= before+50 || t.Failed() })
	}
	goOn()
	breakKeys(t, stack, true)
	goOn()
	p.ahead.Store(int64(50 * time.Second)) // the stored token is no longer good then
	goOn()
	cancel()
	workers.Wait()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d writes", written.Load())

	// Without a fallback the file can be read, and a write fails with a clear error.
	p = newProgram(t, stack, func(text string) string { return text })
	if db, err = p.client.OpenSession(t.Context(), p.session, libsql.Options{Path: path}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows int64
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM ledger").Scan(&rows); err != nil || rows != written.Load() {
		t.Errorf("%d rows, want %d, %v", rows, written.Load(), err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM ledger"); !errors.Is(libsql.Explain(err), provider.ErrRejected) {
		t.Errorf("a write without a fallback: %v, want ErrRejected", err)
	}
}
