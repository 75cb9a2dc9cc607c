//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
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
