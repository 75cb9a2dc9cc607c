//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

func TestTransactions(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t (a INTEGER)")
		tx, err := db.BeginTx(t.Context(), nil)
		must(t, err)
		stmt, err := tx.PrepareContext(t.Context(), "INSERT INTO t VALUES (?)")
		must(t, err)
		for i := range 10 {
			_, err := stmt.ExecContext(t.Context(), i)
			must(t, err)
		}
		var n int
		must(t, tx.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n))
		if n != 10 {
			t.Errorf("the transaction sees %d rows, want 10", n)
		}
		must(t, tx.Commit())
		sees(t, db, "SELECT count(*) FROM t", 10)
		if err := tx.Commit(); !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("the second Commit: %v, want sql.ErrTxDone", err)
		}

		tx, err = db.BeginTx(t.Context(), nil)
		must(t, err)
		_, err = tx.ExecContext(t.Context(), "DELETE FROM t")
		must(t, err)
		must(t, tx.Rollback())
		sees(t, db, "SELECT count(*) FROM t", 10)

		ctx, cancel := context.WithCancel(t.Context())
		tx, err = db.BeginTx(ctx, nil)
		must(t, err)
		_, err = tx.ExecContext(ctx, "DELETE FROM t")
		must(t, err)
		cancel()
		if err := tx.Commit(); err == nil {
			t.Error("Commit succeeded after the context's end")
		}
		sees(t, db, "SELECT count(*) FROM t", 10)

		tx, err = db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelSerializable})
		must(t, err)
		must(t, tx.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n))
		if _, err := tx.ExecContext(t.Context(), "DELETE FROM t"); err == nil {
			t.Error("a read-only transaction accepted a write")
		}
		must(t, tx.Rollback())
		exec(t, db, "INSERT INTO t VALUES (11)")
		sees(t, db, "SELECT count(*) FROM t", 11)

		// A transaction by statements, on a connection of its own.
		conn, err := db.Conn(t.Context())
		must(t, err)
		for _, statement := range []string{"BEGIN", "DELETE FROM t", "ROLLBACK", "BEGIN", "INSERT INTO t VALUES (12)", "COMMIT"} {
			_, err := conn.ExecContext(t.Context(), statement)
			must(t, err)
		}
		must(t, conn.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n))
		must(t, conn.Close())
		if n != 12 {
			t.Errorf("%d rows after a transaction by statements", n)
		}
	})
}

func TestRowsAndResults(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		result, err := db.ExecContext(t.Context(), "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, at DATETIME)")
		must(t, err)
		if n, err := result.RowsAffected(); n != 0 || err != nil {
			t.Errorf("CREATE: RowsAffected = %d, %v", n, err)
		}
		result, err = db.ExecContext(t.Context(), "INSERT INTO t (name) VALUES ('a'), ('b'), ('c')")
		must(t, err)
		n, _ := result.RowsAffected()
		if id, err := result.LastInsertId(); n != 3 || id != 3 || err != nil {
			t.Errorf("%d rows, id %d, %v", n, id, err)
		}
		result, err = db.ExecContext(t.Context(), "UPDATE t SET name = name WHERE id > 9")
		must(t, err)
		if n, _ := result.RowsAffected(); n != 0 {
			t.Errorf("UPDATE without a match: RowsAffected = %d", n)
		}

		rows, err := db.QueryContext(t.Context(), "SELECT id, name, at, id + 1 FROM t ORDER BY id")
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		types, err := rows.ColumnTypes()
		must(t, err)
		var names []string
		for _, c := range types {
			names = append(names, c.DatabaseTypeName())
		}
		if want := []string{"id", "name", "at", "id + 1"}; !slices.Equal(columns, want) {
			t.Errorf("columns %q", columns)
		}
		if want := []string{"INTEGER", "TEXT", "DATETIME", ""}; !slices.Equal(names, want) {
			t.Errorf("types %q", names)
		}
		read := 0
		for rows.Next() {
			read++
		}
		must(t, rows.Err())
		must(t, rows.Close())
		if read != 3 {
			t.Errorf("%d rows", read)
		}

		var id int
		must(t, db.QueryRowContext(t.Context(), "INSERT INTO t (name) VALUES ('d') RETURNING id").Scan(&id))
		if id != 4 {
			t.Errorf("RETURNING gave %d, want 4", id)
		}
		sees(t, db, "SELECT count(*) FROM t", 4)
		if err := db.QueryRowContext(t.Context(), "SELECT id FROM t WHERE id = 99").Scan(&id); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("no rows: %v", err)
		}

		// Many rows, some of which need a larger buffer than the rows before.
		rows, err = db.QueryContext(t.Context(), "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i, zeroblob(CASE i % 1000 WHEN 0 THEN 200000 ELSE i % 7 END), CAST(i AS TEXT) FROM n")
		must(t, err)
		for i := 1; rows.Next(); i++ {
			var n int
			var blob []byte
			var text string
			must(t, rows.Scan(&n, &blob, &text))
			want := i % 7
			if i%1000 == 0 {
				want = 200000
			}
			if n != i || len(blob) != want || text != fmt.Sprint(i) {
				t.Fatalf("row %d is %d with %d bytes and %q", i, n, len(blob), text)
			}
			read = i
		}
		must(t, rows.Err())
		if read != 3000 {
			t.Errorf("%d rows", read)
		}
		must(t, db.PingContext(t.Context()))
	})
}

// An error after some rows is reported after those rows.
func TestErrorBetweenRows(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n")
		rows, err := db.QueryContext(t.Context(), "SELECT CASE WHEN i < 6 THEN i ELSE json('no') END FROM t ORDER BY rowid")
		n := 0
		if err == nil {
			for rows.Next() {
				n++
			}
			err = rows.Err()
			rows.Close()
		}
		var e *hrana.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, "malformed JSON") {
			t.Errorf("%d rows, then %v", n, err)
		}
	})
}

func TestConcurrency(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t (w INTEGER, i INTEGER)")
		var workers sync.WaitGroup
		for w := range 4 {
			workers.Go(func() {
				for i := range 15 {
					if _, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (?, ?)", w, i); err != nil {
						t.Errorf("write: %v", err)
						return
					}
					var n int
					if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t WHERE w = ?", w).Scan(&n); err != nil || n != i+1 {
						t.Errorf("read: %d, %v", n, err)
						return
					}
				}
			})
		}
		workers.Wait()
		sees(t, db, "SELECT count(*) FROM t", 60)

		// Several cursors at once on one connection.
		tx, err := db.BeginTx(t.Context(), nil)
		must(t, err)
		defer tx.Rollback()
		outer, err := tx.QueryContext(t.Context(), "SELECT DISTINCT w FROM t ORDER BY w")
		must(t, err)
		total := 0
		for outer.Next() {
			var w, n int
			must(t, outer.Scan(&w))
			must(t, tx.QueryRowContext(t.Context(), "SELECT count(*) FROM t WHERE w = ?", w).Scan(&n))
			total += n
		}
		must(t, outer.Err())
		if total != 60 {
			t.Errorf("nested reads counted %d, want 60", total)
		}
	})
}

func TestCancelledContext(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := db.ExecContext(ctx, "CREATE TABLE t (a)"); !errors.Is(err, context.Canceled) {
			t.Errorf("exec: %v", err)
		}
		if rows, err := db.QueryContext(ctx, "SELECT 1"); !errors.Is(err, context.Canceled) {
			t.Errorf("query: %v", err)
			rows.Close()
		}
		sees(t, db, "SELECT count(*) FROM sqlite_schema WHERE name = 't'", 0)
	})
}

// A prepared statement has several results open at once and is closed before them; none
// disturbs another.
func TestOneStatementTwice(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n")
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer conn.Close()
		stmt, err := conn.PrepareContext(t.Context(), "SELECT i FROM t WHERE i <= ? ORDER BY i")
		must(t, err)
		tx, err := conn.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
		must(t, err)
		defer tx.Rollback()
		in := tx.StmtContext(t.Context(), stmt)
		short, err := in.QueryContext(t.Context(), 2)
		must(t, err)
		if !short.Next() {
			t.Fatal(short.Err())
		}
		long, err := in.QueryContext(t.Context(), 2000)
		must(t, err)
		other, err := in.QueryContext(t.Context(), 1500)
		must(t, err)
		must(t, in.Close())
		must(t, stmt.Close())
		count := func(rows *sql.Rows) (n int) {
			for rows.Next() {
				n++
			}
			must(t, rows.Err())
			must(t, rows.Close())
			return n
		}
		for range 100 {
			if !long.Next() {
				t.Fatal(long.Err())
			}
		}
		if a, b, c := count(short), count(other), count(long); a != 1 || b != 1500 || c != 1900 {
			t.Errorf("%d, %d and %d rows", a, b, c)
		}
		must(t, tx.Commit())
	})
}
