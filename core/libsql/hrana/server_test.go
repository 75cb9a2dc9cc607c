package hrana_test

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

// TestMillionRows reads a million rows from a real server, more than it puts into one answer,
// and watches the heap.
func TestMillionRows(t *testing.T) {
	db, _ := database(t)
	rows, err := db.Query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?) SELECT n, 'row ' || n FROM c", manyRows)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, most := int64(0), uint64(0)
	for ; rows.Next(); n++ {
		var id int64
		var text sql.RawBytes
		if err := rows.Scan(&id, &text); err != nil || id != n+1 {
			t.Fatalf("row %d is %d, %v", n, id, err)
		}
		if n%(manyRows/10) == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	}
	if err := rows.Err(); err != nil || n != manyRows {
		t.Fatalf("%d rows, %v", n, err)
	}
	// The server runs in this process, too; all rows together would take 60 MB.
	if grown := int64(most) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
}

// TestCancelReachesTheServer checks that a statement whose context ends stops on the server,
// where it would hold the write lock for ever.
func TestCancelReachesTheServer(t *testing.T) {
	db, requests := database(t)
	must(t, db, "CREATE TABLE t (n)")
	const endless = "INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c"
	write := func(when string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := db.ExecContext(ctx, "INSERT INTO t VALUES (1)"); err != nil {
			t.Fatalf("a write after %s: %v", when, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	requests.sends(func() { time.AfterFunc(200*time.Millisecond, cancel) }) // the server runs it by then, or never
	if _, err := db.ExecContext(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	write("a canceled statement")

	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO t VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	requests.sends(func() { time.AfterFunc(200*time.Millisecond, cancel) })
	if _, err := tx.ExecContext(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := tx.Commit(); !errors.Is(err, context.Canceled) {
		t.Errorf("commit of a lost transaction: %v", err)
	}
	_ = tx.Rollback()
	write("a canceled transaction")
	var n int
	if err := db.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows, %v: canceled writes were committed", n, err)
	}
}

// TestExpiredStream checks that an expired stream fails a transaction, and goes unnoticed
// outside of one.
func TestExpiredStream(t *testing.T) {
	db, _, stack := databaseOf(t)
	must(t, db, "CREATE TABLE t (n)")
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int // a read, since a write would keep its lock for 5 s, as in sqld
	if err := tx.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if err := stack.Faults.Switch("stream-expired", true); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO t VALUES (2)"); !errors.Is(err, hrana.ErrStreamExpired) {
		t.Errorf("in a transaction: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	for range 3 {
		must(t, db, "INSERT INTO t VALUES (3)")
	}
	tx, err = db.Begin() // sends nothing before its first statement
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO t VALUES (4)"); err != nil {
		t.Error(err)
	}
	if err := stack.Faults.Switch("stream-expired", false); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}
