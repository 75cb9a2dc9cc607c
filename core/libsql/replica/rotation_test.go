//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// Tokens are replaced while four writers share one handle. No write fails, and each writer
// reads its own rows. (spike gotcha 2: go-libsql fixes the token when a client is made)
func TestTokensChangeUnderWriters(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	src.every = 100 * time.Millisecond
	o := options(t, stack, src)
	o.SyncInterval = 150 * time.Millisecond
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (w INTEGER, i INTEGER, UNIQUE (w, i))")
	var written atomic.Int64
	var writers sync.WaitGroup
	tokens := func() int {
		src.mu.Lock()
		defer src.mu.Unlock()
		return src.count
	}
	for w := range 4 {
		writers.Go(func() {
			for i := 0; (tokens() < 10 || written.Load() < 40) && !t.Failed(); i++ {
				if _, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (?, ?)", w, i); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				written.Add(1)
				var n int
				if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t WHERE w = ?", w).Scan(&n); err != nil || n != i+1 {
					t.Errorf("writer %d reads %d of its %d rows: %v", w, n, i+1, err)
					return
				}
			}
		})
	}
	writers.Wait()
	sees(t, remote(t, o), "SELECT count(*) FROM t", written.Load())
	t.Logf("%d writes, %d tokens", written.Load(), tokens())
}

// Tokens become invalid in between: each write is refused once, and sent again.
func TestRevocationUnderWriters(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	db := open(t, options(t, stack, src))
	exec(t, db, "CREATE TABLE t (i INTEGER)")
	for i := range 20 {
		src.mu.Lock()
		// Turso can't verify this token; the source issues a good one when it is asked to
		// renew it.
		src.token = provider.Token{Value: provider.NewSecret(src.token.Value.Reveal()[:len(src.token.Value.Reveal())-4] + "AAAA")}
		src.mu.Unlock()
		exec(t, db, "INSERT INTO t VALUES (?)", i)
	}
	sees(t, db, "SELECT count(*) FROM t", 20)
}

// Log generations end while a writer and a reader are active.
func TestGenerationsEnd(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
	first := syncNow(t, db).Progress.Generation
	for range 6 {
		exec(t, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t (b) SELECT randomblob(3000) FROM n")
		sees(t, db, "SELECT count(*) > 0 FROM t", 1)
	}
	if last := syncNow(t, db).Progress.Generation; last == first {
		t.Skipf("the stack ended no generation: %d", last)
	}
	sees(t, db, "SELECT count(*) FROM t", 1800)
	sees(t, db, "PRAGMA integrity_check", "ok")
}
