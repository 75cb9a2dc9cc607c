//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// one returns a handle's only connection.
func one(t *testing.T, db *sql.DB) *sql.Conn {
	conn, err := db.Conn(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// A text that comes again is read as the schema is then, also by what was compiled before.
func TestStatementsFollowTheSchema(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		conn := one(t, db)
		const query = "SELECT * FROM t"
		read := func() (names, types []string, values []any, err error) {
			rows, err := conn.QueryContext(t.Context(), query)
			if err != nil {
				return nil, nil, nil, err
			}
			defer rows.Close()
			names, err = rows.Columns()
			must(t, err)
			columns, err := rows.ColumnTypes()
			must(t, err)
			for _, c := range columns {
				types = append(types, c.DatabaseTypeName())
			}
			values = make([]any, len(names))
			into := make([]any, len(names))
			for i := range into {
				into[i] = &values[i]
			}
			for rows.Next() {
				must(t, rows.Scan(into...))
			}
			return names, types, values, rows.Err()
		}
		for _, step := range []struct {
			change, names, types, values string
		}{
			{"CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('2026-01-03')", "[a]", "[TEXT]", "[2026-01-03]"},
			{"ALTER TABLE t RENAME a TO b", "[b]", "[TEXT]", "[2026-01-03]"},
			{"ALTER TABLE t ADD c INTEGER DEFAULT 7", "[b c]", "[TEXT INTEGER]", "[2026-01-03 7]"},
			{"DROP TABLE t; CREATE TABLE t (b DATE, c); INSERT INTO t VALUES ('2026-01-03', 8)", "[b c]", "[DATE ]", "[2026-01-03 00:00:00 +0000 UTC 8]"},
			{"DROP TABLE t", "", "", ""},
			{"CREATE TABLE t (d); INSERT INTO t VALUES (9)", "[d]", "[]", "[9]"},
		} {
			exec(t, db, step.change)
			for range 2 {
				names, types, values, err := read()
				if step.names == "" {
					if err == nil {
						t.Errorf("after %s: %v", step.change, values)
					}
					continue
				}
				must(t, err)
				if got := fmt.Sprint(names, types, values); got != step.names+" "+step.types+" "+step.values {
					t.Errorf("after %s: %s", step.change, got)
				}
				names[0] = "the caller's"
			}
		}
	})
}

// Rows that are read at once by one text are each its own's, and so is what a statement that
// failed, was interrupted, or was left halfway does when its text comes again.
func TestATextAgain(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t (n INTEGER PRIMARY KEY)")
		const insert = "INSERT INTO t VALUES (?)"
		exec(t, db, insert, 1)
		if _, err := db.ExecContext(t.Context(), insert, 1); !errors.Is(err, hrana.ErrConstraint) {
			t.Errorf("inserted twice: %v", err)
		}
		exec(t, db, insert, 2)
		exec(t, db, insert, 3)
		exec(t, db, insert, 4)

		conn := one(t, db)
		const query = "SELECT n FROM t WHERE n >= ? ORDER BY n"
		from := func(first int) *sql.Rows {
			rows, err := conn.QueryContext(t.Context(), query, first)
			must(t, err)
			t.Cleanup(func() { _ = rows.Close() })
			return rows
		}
		next := func(rows *sql.Rows, want int) {
			t.Helper()
			var n int
			if !rows.Next() {
				t.Fatal(rows.Err())
			}
			if must(t, rows.Scan(&n)); n != want {
				t.Errorf("read %d, want %d", n, want)
			}
		}
		first, second := from(1), from(2)
		next(first, 1)
		next(second, 2)
		must(t, first.Close()) // halfway, and its statement is the next one's
		third := from(3)
		next(second, 3)
		next(third, 3)
		must(t, second.Close())
		again := from(1)
		next(again, 1)
		next(third, 4)
		must(t, errors.Join(again.Close(), third.Close())) // SQLite interrupts all of a connection's

		const count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n"
		sees := func(want int) {
			t.Helper()
			var n int
			must(t, conn.QueryRowContext(t.Context(), count, want).Scan(&n))
			if n != want {
				t.Errorf("counted %d, want %d", n, want)
			}
		}
		sees(10)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := conn.QueryRowContext(ctx, count, int64(1)<<60).Scan(new(int)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an endless query: %v", err)
		}
		sees(11)
	})
}

// A write whose rows are not read to the end is finished when they are closed. What comes of
// that is an error of the write, and no silence.
func TestFinishedWithTheRows(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		conn := one(t, db)
		run := func(statement string) {
			t.Helper()
			_, err := conn.ExecContext(t.Context(), statement)
			must(t, err)
		}
		count := func(table string, want int) {
			t.Helper()
			var n int
			must(t, conn.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
			if n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}
		run("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
		run("INSERT INTO parents VALUES (1), (2)")
		run("CREATE TABLE children (parent REFERENCES parents)")                           // checked before the first row
		run("CREATE TABLE late (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED)") // and at the commit
		run("PRAGMA foreign_keys = 1")
		for _, table := range []string{"children", "late"} {
			insert := "INSERT INTO " + table + " VALUES (?), (?) RETURNING parent"
			for range 2 {
				if err := conn.QueryRowContext(t.Context(), insert, 7, 8).Scan(new(int)); !errors.Is(err, hrana.ErrConstraint) {
					t.Errorf("a row of %s without its parent: %v", table, err)
				}
			}
			count(table, 0)
			must(t, conn.QueryRowContext(t.Context(), insert, 1, 2).Scan(new(int)))
			count(table, 2)
		}
		tx, err := conn.BeginTx(t.Context(), nil)
		must(t, err)
		if err := tx.QueryRowContext(t.Context(), "INSERT INTO children VALUES (7) RETURNING parent").Scan(new(int)); !errors.Is(err, hrana.ErrConstraint) {
			t.Errorf("in a transaction: %v", err)
		}
		must(t, tx.Commit())
		count("children", 2)
	})
}

func TestTextIsUTF8(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		const text = "SELECT '\xff'"
		_, failed := db.ExecContext(t.Context(), text)
		for _, err := range []error{failed, db.QueryRowContext(t.Context(), text).Scan(new(string))} {
			if err == nil || !strings.Contains(err.Error(), "not valid UTF-8") {
				t.Errorf("a byte that is no text: %v", err)
			}
		}
	})
}

// A value for which SQLite has no memory is an error, and not an empty one. (Another process, since
// a hard_heap_limit is for all of one, and is never raised.)
func TestNoMemoryForAValue(t *testing.T) {
	must(t, another(t.Context(), file(filepath.Join(t.TempDir(), "x.db")), "", "lack memory").Run())
}

func lackMemory(db *sql.DB) error {
	const length = 1 << 20
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		"PRAGMA encoding = 'UTF-16'", // what is read is another text
		"CREATE TABLE t AS SELECT hex(zeroblob(524288)) AS a",
	} {
		if _, err := db.Exec(statement); err != nil {
			return err
		}
	}
	read, failed := 0, 0
	for limit := 12 * length; limit > 0; limit -= length / 4 {
		if _, err := db.Exec(fmt.Sprint("PRAGMA hard_heap_limit = ", limit)); err != nil {
			return err
		}
		var text string
		switch err := db.QueryRow("SELECT a FROM t").Scan(&text); {
		case errors.Is(err, &hrana.Error{Code: "SQLITE_NOMEM"}):
			failed++
		case err != nil:
			return err
		case len(text) != length:
			return fmt.Errorf("with %d bytes of memory: %d bytes of text, want %d", limit, len(text), length)
		default:
			read++
		}
	}
	if read == 0 || failed == 0 {
		return fmt.Errorf("%d times read, %d times no memory: want both", read, failed)
	}
	return nil
}

// A statement that was prepared before its table reaches the replica reads it afterwards.
func TestPreparedBeforeItsTable(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db, far := open(t, o), remote(t, o)
	exec(t, far, "CREATE TABLE late AS SELECT 7 AS a")
	db.SetMaxOpenConns(1)
	stmt, err := db.PrepareContext(t.Context(), "SELECT a FROM late")
	must(t, err)
	defer stmt.Close()
	read := func() (a int, err error) {
		err = stmt.QueryRowContext(t.Context()).Scan(&a)
		return a, err
	}
	if a, err := read(); !errors.Is(err, &hrana.Error{Code: "SQLITE_ERROR"}) {
		t.Errorf("without the table: %d, %v", a, err)
	}
	syncNow(t, db)
	if a, err := read(); err != nil || a != 7 {
		t.Errorf("with the table: %d, %v", a, err)
	}
}

// A name of an attached database is that of the main one as soon as that has it, also in a text
// that was compiled before.
func TestAttachedAndThenMain(t *testing.T) {
	conn := one(t, open(t, file(filepath.Join(t.TempDir(), "x.db"))))
	attached := filepath.Join(t.TempDir(), "attached.db")
	exec(t, open(t, file(attached)), "CREATE TABLE t AS SELECT 'attached' AS a")
	for _, step := range []struct{ run, sees string }{
		{"ATTACH '" + attached + "' AS x", "attached"},
		{"CREATE TABLE main.t AS SELECT 'main' AS a", "main"},
		{"DROP TABLE main.t", "attached"},
		{"CREATE TABLE main.t AS SELECT 'again' AS a", "again"},
		{"DETACH x", "again"},
	} {
		_, err := conn.ExecContext(t.Context(), step.run)
		must(t, err)
		var got string
		if err := conn.QueryRowContext(t.Context(), "SELECT a FROM t").Scan(&got); err != nil || got != step.sees {
			t.Errorf("after %s: %q, %v, want %s", step.run, got, err, step.sees)
		}
	}
}
