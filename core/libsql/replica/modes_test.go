//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"database/sql"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// inEachMode runs a test of behaviour that is the same in all modes.
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

// A name in double quotes that is no column is text, as in SQLite and libsql-server: ent
// creates its tables this way.
func TestDoubleQuotedText(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, `CREATE TABLE q (a DEFAULT "x", CHECK (a <> "y"))`)
		exec(t, db, `INSERT INTO q DEFAULT VALUES`)
		sees(t, db, `SELECT a FROM q WHERE a = "x"`, "x")
		sees(t, db, `SELECT "nowhere"`, "nowhere")
	})
}

// Values come back as they were stored, even if they look like dates.
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
			{instant, "2026-01-03 03:05:06.000000007+00:00"},
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
				t.Errorf("%v was accepted as an argument", bad)
			}
		}
	})
}

// Dates come back as times, and compare with what SQLite itself stores.
func TestTimes(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE e (id INTEGER PRIMARY KEY, at DATETIME, day DATE, made TIMESTAMP DEFAULT CURRENT_TIMESTAMP, note TEXT)")
		instant := time.Date(2026, 1, 3, 4, 5, 6, 7000, time.FixedZone("", 3600))
		exec(t, db, "INSERT INTO e (at, day, note) VALUES (?, ?, ?)", instant, "2026-01-03", "2026-01-03 04:05:06")
		exec(t, db, "INSERT INTO e (at) VALUES (NULL)")
		var at, day, made time.Time
		var note any
		must(t, db.QueryRowContext(t.Context(), "SELECT at, day, made, note FROM e WHERE id = 1").Scan(&at, &day, &made, &note))
		if !at.Equal(instant) || !day.Equal(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)) || made.IsZero() || note != "2026-01-03 04:05:06" {
			t.Errorf("got %v, %v, %v, %v", at, day, made, note)
		}
		var null sql.NullTime
		must(t, db.QueryRowContext(t.Context(), "SELECT at FROM e WHERE id = 2").Scan(&null))
		if null.Valid {
			t.Error("NULL was scanned as a time")
		}
		stmt, err := db.PrepareContext(t.Context(), "SELECT at FROM e WHERE at = ?")
		must(t, err)
		defer stmt.Close()
		must(t, stmt.QueryRowContext(t.Context(), instant).Scan(&at))
		var later int
		must(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM e WHERE made > ? AND made < ?", time.Now().Add(-time.Hour), time.Now().Add(time.Hour)).Scan(&later))
		if later != 2 {
			t.Errorf("%d rows of this hour, want 2", later)
		}
		must(t, db.QueryRowContext(t.Context(), "INSERT INTO e (at) VALUES (?) RETURNING at", instant).Scan(&note))
		var stored string
		must(t, db.QueryRowContext(t.Context(), "SELECT CAST(at AS TEXT) FROM e WHERE id = 1").Scan(&stored))
		if stored != "2026-01-03 03:05:06.000007+00:00" {
			t.Errorf("stored as %q", stored)
		}
	})
}

// With TimesAsText, dates are read as the stored text.
func TestTimesAsText(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	replicated := options(t, stack, newSource(t, stack))
	remote := replicated
	remote.Mode, remote.Path = libsql.Remote, ""
	var file libsql.Options
	file.Target.URL = "file:" + filepath.Join(t.TempDir(), "x.db")
	for _, o := range []libsql.Options{remote, replicated, file} {
		o.TimesAsText = true
		db := open(t, o)
		exec(t, db, "CREATE TABLE IF NOT EXISTS e (at DATETIME)")
		exec(t, db, "INSERT INTO e VALUES ('2026-01-03 04:05:06')")
		var at any
		must(t, db.QueryRowContext(t.Context(), "SELECT at FROM e").Scan(&at))
		if at != "2026-01-03 04:05:06" {
			t.Errorf("%s: got %T %v", o.Mode, at, at)
		}
	}
}

// A batch has the same effect in all modes, and its writes can be read back.
func TestExecBatch(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		c, err := db.Conn(t.Context())
		must(t, err)
		defer c.Close()
		insert := hrana.Statement{SQL: "INSERT INTO b VALUES (?)", Args: []any{1}}
		results, err := hrana.ExecBatch(t.Context(), c, []hrana.Statement{
			{SQL: "CREATE TABLE b (n UNIQUE)"}, {SQL: "BEGIN"}, insert, {SQL: "INSERT INTO b VALUES (2), (3)"}, {SQL: "COMMIT"},
		})
		must(t, err)
		if len(results) != 5 || results[2].RowsAffected != 1 || results[3].RowsAffected != 2 {
			t.Errorf("results %+v", results)
		}
		results, err = hrana.ExecBatch(t.Context(), c, []hrana.Statement{{SQL: "INSERT INTO b VALUES (4)"}, insert, {SQL: "INSERT INTO b VALUES (5)"}})
		var failed *hrana.Error
		if !errors.Is(err, hrana.ErrUnique) || !errors.As(err, &failed) || failed.Statement != 2 || len(results) != 1 {
			t.Errorf("results %+v, %v", results, err)
		}
		var n int
		must(t, c.QueryRowContext(t.Context(), "SELECT count(*) FROM b").Scan(&n))
		if n != 4 {
			t.Errorf("%d rows, want 4", n)
		}
	})
}

func TestParameters(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		a, b := sql.Named("a", 1), sql.Named("b", 2)
		for _, test := range []struct {
			query string
			args  []any
			want  string // empty if an error is wanted
		}{
			{"SELECT ? || '-' || ?", []any{1, 2}, "1-2"},
			{"SELECT ?2 || '-' || ?1", []any{1, 2}, "2-1"},
			{"SELECT ?1 || '-' || ?1", []any{1}, "1-1"},
			{"SELECT :b || '-' || :a || '-' || :b", []any{a, b}, "2-1-2"},
			{"SELECT @a || '-' || $b", []any{b, a}, "1-2"},
			{"SELECT '?' || ? -- ?", []any{1}, "?1"},
			{"SELECT $2 || '-' || $1 || '-' || $2", []any{1, 2}, "2-1-2"},
			{"SELECT :1 || '-' || @2", []any{1, 2}, "1-2"},
			{"SELECT $2", []any{1, 2}, "2"},
			{"SELECT $1", []any{1, 2}, ""},
			{"SELECT $1 || :a", []any{1, 2}, ""},
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
				t.Errorf("%s: unexpected error %#v", query, err)
			}
		}
		for _, query := range []string{"SELECT 1\x00", "", "-- nothing", "SELECT 1; SELECT 2"} {
			if rows, err := db.QueryContext(t.Context(), query); err == nil {
				rows.Close()
				if query != "SELECT 1; SELECT 2" { // remote databases may have several results
					t.Errorf("%q returned no error", query)
				}
			}
		}
		if _, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadUncommitted}); err == nil {
			t.Error("BeginTx accepted read uncommitted")
		}
		sees(t, db, "SELECT count(*) FROM p", 1)
	})
}

// TestColumnTypeNames wants names as database/sql documents them, in capitals and without a
// length.
func TestColumnTypeNames(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t (a varchar(10), b INTEGER, c decimal (5, 2), d)")
		rows, err := db.QueryContext(t.Context(), "SELECT a, b, c, d, 1 + 1 FROM t")
		must(t, err)
		defer rows.Close()
		types, err := rows.ColumnTypes()
		must(t, err)
		var got []string
		for _, column := range types {
			got = append(got, column.DatabaseTypeName())
		}
		if want := []string{"VARCHAR", "INTEGER", "DECIMAL", "", ""}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
