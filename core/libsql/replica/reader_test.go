//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"errors"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// A long read sees one state of the file and keeps a log generation from ending, which makes
// a sync fail. After it the sync succeeds. Other reads and writes are not affected.
func TestSyncDuringLongRead(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db, primary := open(t, o), remote(t, o)
	const fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t (b) SELECT randomblob(3000) FROM n"
	exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
	exec(t, db, fill)
	rows, err := db.QueryContext(t.Context(), "SELECT a, b FROM t")
	must(t, err)
	defer rows.Close()
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	for range 8 {
		exec(t, primary, fill)
	}
	_, err = libsql.Sync(t.Context(), db)
	if err == nil {
		t.Skip("the stack ended no generation")
	}
	if !errors.Is(err, provider.ErrUnavailable) || provider.Hint(err) == "" {
		t.Errorf("sync: %v", err)
	}
	sees(t, db, "SELECT count(*) >= 300 FROM t", 1)

	// A write in the meantime is neither lost nor an error, and can be read back.
	exec(t, db, "DELETE FROM t WHERE a = 1")
	sees(t, db, "SELECT count(*) FROM t", 2699)
	stmt, err := db.PrepareContext(t.Context(), "SELECT count(*) FROM t")
	must(t, err)
	defer stmt.Close()
	var count int
	if err := stmt.QueryRowContext(t.Context()).Scan(&count); err != nil || count != 2699 {
		t.Errorf("prepared: %d, %v", count, err)
	}
	n := 1
	for rows.Next() {
		n++
	}
	must(t, rows.Err())
	must(t, rows.Close())
	if n != 300 {
		t.Errorf("the long read saw %d rows, want 300", n)
	}
	syncNow(t, db)
	sees(t, db, "SELECT count(*) FROM t", 2699)
	sees(t, db, "PRAGMA integrity_check", "ok")
}
