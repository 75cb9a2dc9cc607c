//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// inEachMode runs a test of what is the same in all modes.
func inEachMode(t *testing.T, test func(*testing.T, *sql.DB)) {
	modes := map[string]func(*testing.T) libsql.Options{
		"remote": func(t *testing.T) libsql.Options {
			stack := devstacktest.Start(t, devstack.Options{})
			o := options(t, stack, newSource(t, stack))
			o.Mode, o.Path = libsql.Remote, ""
			return o
		},
		"replica": func(t *testing.T) libsql.Options {
			stack := devstacktest.Start(t, devstack.Options{})
			return options(t, stack, newSource(t, stack))
		},
		"file": func(t *testing.T) (o libsql.Options) {
			o.Target.URL = "file:" + filepath.Join(t.TempDir(), "x.db")
			return o
		},
		"memory": func(*testing.T) (o libsql.Options) { o.Target.URL = ":memory:"; return o },
	}
	for name, options := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, options(t)))
		})
	}
}

// Values come back as they were stored, whatever they look like.
func TestValues(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE v (id INTEGER PRIMARY KEY, v)")
		instant := time.Date(2026, 1, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
		for i, test := range []struct{ in, want any }{
			{nil, nil}, {int64(0), int64(0)}, {int64(math.MaxInt64), int64(math.MaxInt64)}, {int64(math.MinInt64), int64(math.MinInt64)},
			{true, int64(1)}, {false, int64(0)}, {1.5, 1.5}, {math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64}, {-0.25, -0.25},
			{"", ""}, {"text", "text"}, {"ünïcödé 😀", "ünïcödé 😀"}, {strings.Repeat("x", 1<<20), strings.Repeat("x", 1<<20)},
			{"2026-01-03", "2026-01-03"}, {"2026-01-03 04:05:06", "2026-01-03 04:05:06"}, {"2026-01-03T04:05:06Z", "2026-01-03T04:05:06Z"}, {"2026-01-03 04:05", "2026-01-03 04:05"},
			{"before\x00after", "before\x00after"}, {"\x00", "\x00"},
			{[]byte{}, []byte{}}, {[]byte(nil), nil}, {[]byte{0, 255, 0}, []byte{0, 255, 0}}, {make([]byte, 1<<20), make([]byte, 1<<20)},
			{instant, "2026-01-03T03:05:06.000000007Z"},
		} {
			exec(t, db, "INSERT INTO v VALUES (?, ?)", i, test.in)
			var got any
			must(t, db.QueryRowContext(t.Context(), "SELECT v FROM v WHERE id = ?", i).Scan(&got))
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("%T %.40v came back as %T %.40v", test.in, test.in, got, got)
			}
		}
		for _, bad := range []any{"\xff", math.Inf(1), math.NaN(), time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC), struct{}{}} {
			if _, err := db.ExecContext(t.Context(), "INSERT INTO v (v) VALUES (?)", bad); err == nil {
				t.Errorf("%v was bound", bad)
			}
		}
	})
}

func TestParameters(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		a, b := sql.Named("a", 1), sql.Named("b", 2)
		for _, test := range []struct {
			query string
			args  []any
			want  string // "" is an error
		}{
			{"SELECT ? || '-' || ?", []any{1, 2}, "1-2"},
			{"SELECT ?2 || '-' || ?1", []any{1, 2}, "2-1"},
			{"SELECT ?1 || '-' || ?1", []any{1}, "1-1"},
			{"SELECT :b || '-' || :a || '-' || :b", []any{a, b}, "2-1-2"},
			{"SELECT @a || '-' || $b", []any{b, a}, "1-2"},
			{"SELECT '?' || ? -- ?", []any{1}, "?1"},
			{"SELECT 1", nil, "1"},
			{"SELECT ? || ?", []any{1}, ""},
			{"SELECT ?", []any{1, 2}, ""},
			{"SELECT ?", nil, ""},
			{"SELECT 1", []any{1}, ""},
			{"SELECT :a", []any{b}, ""},
			{"SELECT :a", []any{1}, ""},
			{"SELECT :a", []any{a, b}, ""},
			{"SELECT :a", []any{a, a}, ""},
			{"SELECT ?", []any{a}, ""},
			{"SELECT ? || :a", []any{1, a}, ""},
		} {
			var got string
			err := db.QueryRowContext(t.Context(), test.query, test.args...).Scan(&got)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("%s with %v: %q, %v", test.query, test.args, got, err)
			}
			if test.want == "" {
				continue
			}
			stmt, err := db.PrepareContext(t.Context(), test.query)
			must(t, err)
			for range 2 {
				if err := stmt.QueryRowContext(t.Context(), test.args...).Scan(&got); err != nil || got != test.want {
					t.Errorf("prepared %s: %q, %v", test.query, got, err)
				}
			}
			must(t, stmt.Close())
		}
	})
}

func TestErrors(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE p (id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL, c CHECK (c > 0)); CREATE TABLE f (p REFERENCES p); INSERT INTO p VALUES (1, 'u', 1, 1)")
		for query, code := range map[string]string{
			"INSERT INTO p VALUES (2, 'u', 1, 1)":    "SQLITE_CONSTRAINT",
			"INSERT INTO p VALUES (1, 'v', 1, 1)":    "SQLITE_CONSTRAINT",
			"INSERT INTO p VALUES (2, 'v', NULL, 1)": "SQLITE_CONSTRAINT",
			"INSERT INTO p VALUES (2, 'v', 1, 0)":    "SQLITE_CONSTRAINT",
			"INSERT INTO nothing VALUES (1)":         "",
			"SELEC 1":                                "",
			"SELECT nothing FROM p":                  "",
			"SELECT status=401 FROM nothing":         "",
		} {
			_, err := db.ExecContext(t.Context(), query)
			var e *hrana.Error
			if !errors.As(err, &e) || code != "" && !errors.Is(err, &hrana.Error{Code: code}) || libsql.Explain(err) != error(e) && !errors.Is(libsql.Explain(err), e) {
				t.Errorf("%s: %#v", query, err)
			}
		}
		for _, query := range []string{"SELECT 1\x00", "", "-- nothing", "SELECT 1; SELECT 2"} {
			if rows, err := db.QueryContext(t.Context(), query); err == nil {
				rows.Close()
				if query != "SELECT 1; SELECT 2" { // remote databases may have several results
					t.Errorf("%q passes", query)
				}
			}
		}
		if _, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadUncommitted}); err == nil {
			t.Error("read uncommitted is promised")
		}
		sees(t, db, "SELECT count(*) FROM p", 1)
	})
}

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
			t.Errorf("the transaction sees %d rows", n)
		}
		must(t, tx.Commit())
		sees(t, db, "SELECT count(*) FROM t", 10)
		if err := tx.Commit(); !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("twice: %v", err)
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
			t.Error("committed after its context")
		}
		sees(t, db, "SELECT count(*) FROM t", 10)

		tx, err = db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelSerializable})
		must(t, err)
		must(t, tx.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n))
		if _, err := tx.ExecContext(t.Context(), "DELETE FROM t"); err == nil {
			t.Error("a read-only transaction writes")
		}
		must(t, tx.Rollback())
		exec(t, db, "INSERT INTO t VALUES (11)")
		sees(t, db, "SELECT count(*) FROM t", 11)

		// A transaction in statements, on a connection of its own.
		conn, err := db.Conn(t.Context())
		must(t, err)
		for _, statement := range []string{"BEGIN", "DELETE FROM t", "ROLLBACK", "BEGIN", "INSERT INTO t VALUES (12)", "COMMIT"} {
			_, err := conn.ExecContext(t.Context(), statement)
			must(t, err)
		}
		must(t, conn.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n))
		must(t, conn.Close())
		if n != 12 {
			t.Errorf("%d rows after statements", n)
		}
	})
}

func TestRowsAndResults(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		result, err := db.ExecContext(t.Context(), "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, at DATETIME)")
		must(t, err)
		if n, err := result.RowsAffected(); n != 0 || err != nil {
			t.Errorf("CREATE affects %d rows, %v", n, err)
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
			t.Errorf("an UPDATE of nothing affects %d rows", n)
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
			t.Errorf("RETURNING %d", id)
		}
		sees(t, db, "SELECT count(*) FROM t", 4)
		if err := db.QueryRowContext(t.Context(), "SELECT id FROM t WHERE id = 99").Scan(&id); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("no rows: %v", err)
		}

		// Many rows, of which some don't fit where the others were.
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

// An error after some rows comes after them.
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

		// One connection, several cursors at once.
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
			t.Errorf("nested reads count %d", total)
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
