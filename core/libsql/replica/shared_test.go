//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"database/sql"
	"fmt"
	"os"
	osexec "os/exec"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// readBack inserts rows and reads each back from the replica.
func readBack(db *sql.DB) error {
	for i := 1; i <= 20; i++ {
		if _, err := db.Exec("INSERT INTO t (p, b) VALUES (?, randomblob(120000))", os.Getpid()); err != nil {
			return err
		}
		var n int
		if err := db.QueryRow("SELECT count(*) FROM t WHERE p = ?", os.Getpid()).Scan(&n); err != nil || n != i {
			return fmt.Errorf("after %d rows: %d, %v", i, n, err)
		}
	}
	return nil
}

// Several programs have a replica open: they write, read their writes back, and sync in turn,
// across the ends of log generations. The file stays intact.
func TestProgramsShareAReplica(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: time.Hour}) // others have one token
	o := options(t, stack, newSource(t, stack))
	token := devstacktest.Token(t, stack, "alice@example.test", devstack.Template)
	synced := make(chan libsql.Synced, 1000)
	o.SyncInterval, o.OnSync = 100*time.Millisecond, func(s libsql.Synced) { synced <- s }
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY, p INTEGER, b BLOB)")
	first := syncNow(t, db).Progress.Generation
	var others []*osexec.Cmd
	for range 2 {
		cmd := another(t.Context(), o, token, "read back")
		must(t, cmd.Start())
		others = append(others, cmd)
	}
	for range 10 {
		exec(t, db, "INSERT INTO t (p, b) VALUES (0, randomblob(120000))")
		sees(t, db, "SELECT count(*) > 0 FROM t WHERE p = 0", 1)
	}
	for _, cmd := range others {
		if err := cmd.Wait(); err != nil {
			t.Errorf("another program: %v", err)
		}
	}
	rows := 50
	for ; syncNow(t, db).Progress.Generation == first && rows < 500; rows++ { // concurrent writers may have kept the stack from ending one
		exec(t, db, "INSERT INTO t (p, b) VALUES (0, randomblob(120000))")
	}
	if rows == 500 {
		t.Error("the stack ended no generation")
	}
	sees(t, db, "SELECT count(*) FROM t", rows)
	sees(t, db, "SELECT count(DISTINCT p) FROM t", 3)
	sees(t, db, "PRAGMA integrity_check", "ok")
	must(t, db.Close())
	for len(synced) > 0 {
		if s := <-synced; s.Err != nil && provider.Kind(s.Err) != provider.ErrUnavailable { // others' took too long
			t.Errorf("a sync: %v", s.Err)
		}
	}
}

// While another program syncs, a replica can be opened and read. A write is neither lost nor
// an error, and is read from the database.
func TestAnotherProgramSyncs(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, db, "CREATE TABLE t AS SELECT 7 AS a")
	must(t, db.Close())
	lock := flock.New(o.Path + "-zen")
	must(t, lock.Lock())
	db = open(t, o)
	sees(t, db, "SELECT a FROM t", 7)
	exec(t, db, "UPDATE t SET a = 8")
	sees(t, db, "SELECT a FROM t", 8)
	if _, err := libsql.Sync(t.Context(), db); provider.Kind(err) != provider.ErrUnavailable || provider.Hint(err) == "" {
		t.Errorf("sync: %v (hint %q)", err, provider.Hint(err))
	}
	must(t, lock.Unlock())
	syncNow(t, db)
	sees(t, db, "SELECT a FROM t", 8)
	sees(t, db, "PRAGMA integrity_check", "ok")
}
