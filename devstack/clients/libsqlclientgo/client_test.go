package libsqlclientgo

import (
	"bytes"
	"context"
	"database/sql"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	_ "github.com/tursodatabase/libsql-client-go/libsql"

	"github.com/zen-auth/zen/devstack/clients/tursotest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/turso"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, s *tursotest.Stack, token string) *sql.DB {
	t.Helper()
	db, err := sql.Open("libsql", s.URL+"/dbs/app?authToken="+url.QueryEscape(token))
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestClient(t *testing.T) {
	s := tursotest.New(t, turso.Options{})
	must(t, s.RegisterJWKS("acme", "clerk", s.Keys))
	db := open(t, s, s.JWT(t, turso.TokenOptions{}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	exec := func(q string, args ...any) sql.Result {
		t.Helper()
		r, err := db.ExecContext(ctx, q, args...)
		must(t, err)
		return r
	}
	exec("CREATE TABLE note (id INTEGER PRIMARY KEY, big INTEGER, f REAL, txt TEXT, bin BLOB)")
	r := exec("INSERT INTO note (big, f, txt, bin) VALUES (?, ?, ?, ?)", int64(math.MaxInt64), 1.5, "2024-13-77 \"é😀", []byte{0, 1, 255})
	if id, err := r.LastInsertId(); err != nil || id != 1 {
		t.Errorf("id %d, %v", id, err)
	}
	exec("INSERT INTO note (big, txt, bin) VALUES (:big, :txt, NULL)", sql.Named("big", int64(math.MinInt64)), sql.Named("txt", ""))
	var (
		big int64
		f   sql.NullFloat64
		txt string
		bin []byte
	)
	must(t, db.QueryRowContext(ctx, "SELECT big, f, txt, bin FROM note WHERE id = ?", 1).Scan(&big, &f, &txt, &bin))
	if big != math.MaxInt64 || f.Float64 != 1.5 || txt != "2024-13-77 \"é😀" || !bytes.Equal(bin, []byte{0, 1, 255}) {
		t.Errorf("%d %v %q %v", big, f, txt, bin)
	}
	must(t, db.QueryRowContext(ctx, "SELECT big, f, txt FROM note WHERE id = 2").Scan(&big, &f, &txt))
	if big != math.MinInt64 || f.Valid || txt != "" {
		t.Errorf("%d %v %q", big, f, txt)
	}

	for _, end := range []string{"commit", "rollback"} {
		tx, err := db.BeginTx(ctx, nil)
		must(t, err)
		_, err = tx.ExecContext(ctx, "INSERT INTO note (txt) VALUES (?)", end)
		must(t, err)
		if end == "commit" {
			must(t, tx.Commit())
		} else {
			must(t, tx.Rollback())
		}
	}
	var n int
	must(t, db.QueryRowContext(ctx, "SELECT count(*) FROM note WHERE txt IN ('commit', 'rollback')").Scan(&n))
	if n != 1 {
		t.Errorf("%d rows after a commit and a rollback", n)
	}
	exec("CREATE TABLE a (x); CREATE TABLE b (x); INSERT INTO b VALUES (7)")
	must(t, db.QueryRowContext(ctx, "SELECT x FROM b").Scan(&n))
	if n != 7 {
		t.Errorf("several statements: %d", n)
	}
}

// The client's errors for failures of the server.
func TestErrors(t *testing.T) {
	s := tursotest.New(t, turso.Options{})
	must(t, s.RegisterJWKS("acme", "clerk", s.Keys))
	good := s.JWT(t, turso.TokenOptions{})
	for _, tt := range []struct{ name, fault, token, sql, want string }{
		{"syntax", "", good, "SELEC 1", "SQL string could not be parsed: syntax error around L1:6: `SELEC`"},
		{"no table", "", good, "SELECT * FROM nope", "SQLite error: no such table: nope"},
		{"bad token", "", s.APIToken, "SELECT 1", "error code 401: Unauthorized: `unauthorized access attempt on database: invalid JWT token: can't be decoded with any of the existing keys`"},
		{"read only", "", s.JWT(t, turso.TokenOptions{ReadOnly: true}), "CREATE TABLE t (a)", "Operation was blocked: SQL write operations are forbidden (current session doesn't have write permission)"},
		{"expired", fault.ClockAhead, good, "SELECT 1", "error code 400: JWT error: ExpiredSignature"},
		{"quota", fault.ReadsBlocked, good, "SELECT 1", "reads are blocked, do you need to upgrade your plan?"},
		{"registration", fault.JWKSStuck, good, "SELECT 1", "can't be decoded with any of the existing keys"},
	} {
		if tt.fault != "" {
			must(t, s.Faults.Switch(tt.fault, true))
		}
		var v any
		err := open(t, s, tt.token).QueryRowContext(t.Context(), tt.sql).Scan(&v)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: QueryRowContext = %v, want %s", tt.name, err, tt.want)
		}
		if tt.fault != "" {
			must(t, s.Faults.Switch(tt.fault, false))
		}
	}
}

// The exported URL as it is, and `zen proxy`.
func TestWays(t *testing.T) {
	for _, w := range tursotest.Ways(t) {
		t.Run(w.Name, func(t *testing.T) {
			db, err := sql.Open("libsql", w.URL+"?authToken="+url.QueryEscape(w.Token))
			must(t, err)
			defer db.Close()
			tursotest.Use(t, db, "ways_"+w.Name)
		})
	}
}
