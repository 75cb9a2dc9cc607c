package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"github.com/zen-auth/zen/internal/testwait"
)

// table collects a result.
type table struct {
	cols []Column
	rows [][]Value
}

func (t *table) Columns(cols []Column) error {
	t.cols = cols
	return nil
}

func (t *table) Row(row []Value) error {
	c := make([]Value, len(row))
	for i, v := range row {
		v.Bytes = append([]byte(nil), v.Bytes...)
		c[i] = v
	}
	t.rows = append(t.rows, c)
	return nil
}

func newDB(t testing.TB, o Options) *DB {
	t.Helper()
	db, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func newConn(t testing.TB, db *DB) *Conn {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func mustRun(t testing.TB, c *Conn, sql string, args ...Value) (*table, Result) {
	t.Helper()
	tab := &table{}
	res, err := c.Run(t.Context(), Query{SQL: sql, Positional: args}, FullAccess, tab)
	if err != nil {
		t.Fatalf("%s: Run = %v", sql, err)
	}
	return tab, res
}

func TestTransactionTimeout(t *testing.T) {
	db := newDB(t, Options{TxTimeout: 50 * time.Millisecond})
	slow, other := newConn(t, db), newConn(t, db)
	mustRun(t, slow, "CREATE TABLE t (a)")
	mustRun(t, slow, "BEGIN IMMEDIATE")
	mustRun(t, slow, "INSERT INTO t VALUES (1)")
	mustRun(t, other, "INSERT INTO t VALUES (2)") // waits, then steals the lock
	if _, err := slow.Run(t.Context(), Query{SQL: "COMMIT"}, FullAccess, discard{}); !errors.Is(err, ErrTransactionTimeout) {
		t.Errorf("COMMIT: %v, want %v", err, ErrTransactionTimeout)
	}
	if !slow.Autocommit() {
		t.Error("the connection is still in a transaction")
	}
	if tab, _ := mustRun(t, slow, "SELECT a FROM t"); len(tab.rows) != 1 || tab.rows[0][0].Int != 2 {
		t.Errorf("rows %v, want only the other connection's", tab.rows)
	}
}

func TestContextInterrupts(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"
	if _, err := c.Run(ctx, Query{SQL: endless}, FullAccess, discard{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("endless statement: %v", err)
	}
	mustRun(t, c, "SELECT 1") // not hit by a late interrupt
}

// An interrupt that comes before a statement's first step is not lost: SQLite forgets it then.
func TestContextEndsBeforeTheFirstStep(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.locked(ctx, true, func() error {
		cancel()
		testwait.Until(t, "the interrupt", func() bool { return lib.Xsqlite3_is_interrupted(c.tls, c.handle) != 0 })
		return c.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 20000000) SELECT count(*) FROM n")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a long statement: %v", err)
	}
	mustRun(t, c, "SELECT 1") // not hit by a late interrupt
}

// Nor is that of Close.
func TestCloseBeforeTheFirstStep(t *testing.T) {
	db := newDB(t, Options{})
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	_, err = c.locked(t.Context(), true, func() error {
		go func() { closed <- db.Close() }()
		testwait.Until(t, "the interrupt", func() bool { return lib.Xsqlite3_is_interrupted(c.tls, c.handle) != 0 })
		return c.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 20000000) SELECT count(*) FROM n")
	})
	if err == nil {
		t.Error("a long statement ran to its end")
	}
	c.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestContextEndsWait(t *testing.T) {
	db := newDB(t, Options{TxTimeout: time.Hour})
	holder, waiter := newConn(t, db), newConn(t, db)
	mustRun(t, holder, "BEGIN IMMEDIATE")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := waiter.Run(ctx, Query{SQL: "BEGIN IMMEDIATE"}, FullAccess, discard{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait for the lock: %v", err)
	}
}

// lateContext is a context whose end is seen by everybody before it calls anybody.
type lateContext struct{ context.Context }

func (lateContext) AfterFunc(func()) (stop func() bool) { return func() bool { return true } }

// Value hides what the context package would go by in place of AfterFunc.
func (lateContext) Value(any) any { return nil }

func TestContextEndsWaitBeforeItInterrupts(t *testing.T) {
	db := newDB(t, Options{TxTimeout: time.Hour})
	holder, waiter := newConn(t, db), newConn(t, db)
	mustRun(t, holder, "BEGIN IMMEDIATE")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := waiter.Run(lateContext{ctx}, Query{SQL: "BEGIN IMMEDIATE"}, FullAccess, discard{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait for the lock: %v", err)
	}
}

func TestSchemaChangeRefreshesColumns(t *testing.T) {
	db := newDB(t, Options{})
	a, b := newConn(t, db), newConn(t, db)
	mustRun(t, a, "CREATE TABLE t (x TEXT)")
	mustRun(t, a, "INSERT INTO t VALUES ('1')")
	mustRun(t, a, "SELECT * FROM t")
	mustRun(t, b, "ALTER TABLE t ADD COLUMN y DATE DEFAULT '2024-01-02'")
	tab, _ := mustRun(t, a, "SELECT * FROM t")
	if got := fmt.Sprint(tab.cols); got != "[{x TEXT} {y DATE}]" {
		t.Errorf("columns %s", got)
	}
	if v := tab.rows[0][1]; v.Kind != Text || string(v.Bytes) != "2024-01-02" {
		t.Errorf("value %+v", v)
	}
}

func TestPooledConnectionIsClean(t *testing.T) {
	db := newDB(t, Options{})
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, c, "CREATE TABLE t (a)")
	mustRun(t, c, "INSERT INTO t VALUES (1)")
	mustRun(t, c, "PRAGMA foreign_keys = OFF")
	mustRun(t, c, "BEGIN")
	mustRun(t, c, "INSERT INTO t VALUES (2)")
	c.Close()
	d := newConn(t, db)
	if !d.Autocommit() {
		t.Error("a new connection is in a transaction")
	}
	tab, _ := mustRun(t, d, "SELECT count(*), last_insert_rowid(), (SELECT foreign_keys FROM pragma_foreign_keys) FROM t")
	if r := tab.rows[0]; r[0].Int != 1 || r[1].Int != 0 || r[2].Int != 1 {
		t.Errorf("count, rowid, foreign_keys: %v", r)
	}
}

func TestFileDatabaseStays(t *testing.T) {
	path := t.TempDir() + "/data.db"
	for i := range 2 {
		db, err := Open(Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		mustRun(t, c, "CREATE TABLE IF NOT EXISTS t (a)")
		mustRun(t, c, "INSERT INTO t VALUES (1)")
		if tab, _ := mustRun(t, c, "SELECT * FROM t"); len(tab.rows) != i+1 {
			t.Errorf("opened %d times, %d rows", i+1, len(tab.rows))
		}
		c.Close()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkSelect1(b *testing.B) {
	c := newConn(b, newDB(b, Options{}))
	ctx := b.Context()
	for b.Loop() {
		if _, err := c.Run(ctx, Query{SQL: "SELECT 1"}, FullAccess, discard{}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestForeignKeysAreOn(t *testing.T) {
	c := newConn(t, newDB(t, Options{}))
	mustRun(t, c, "CREATE TABLE a (id INTEGER PRIMARY KEY)")
	mustRun(t, c, "CREATE TABLE b (a REFERENCES a)")
	_, err := c.Run(t.Context(), Query{SQL: "INSERT INTO b VALUES (1)"}, FullAccess, discard{})
	var e *Error
	if !errors.As(err, &e) || e.Message != "FOREIGN KEY constraint failed" {
		t.Errorf("Run = %v", err)
	}
}
