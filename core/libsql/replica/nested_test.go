//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
)

// rollbackJournal opens a file with a rollback journal, SQLite's default, as other programs
// make it.
func rollbackJournal(t *testing.T) *sql.DB {
	o := file(filepath.Join(t.TempDir(), "old.db"))
	one := open(t, o)
	sees(t, one, "PRAGMA journal_mode = DELETE", "delete")
	exec(t, one, "CREATE TABLE t (a, b)")
	must(t, one.Close())
	return open(t, o)
}

// writeWhileReading writes after each of the first rows of a long read.
func writeWhileReading(t *testing.T, db *sql.DB) {
	exec(t, db, "CREATE TABLE IF NOT EXISTS t (a, b)")
	exec(t, db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, hex(zeroblob(100)) FROM n")
	rows, err := db.QueryContext(t.Context(), "SELECT a FROM t WHERE b <> 'new'")
	must(t, err)
	defer rows.Close()
	read := 0
	for ; rows.Next(); read++ {
		var a int
		must(t, rows.Scan(&a))
		if a <= 5 {
			exec(t, db, "INSERT INTO t VALUES (?, 'new')", a)
		}
	}
	must(t, rows.Err())
	if read != 5000 {
		t.Errorf("read %d rows", read)
	}
	sees(t, db, "SELECT count(*) FROM t WHERE b = 'new'", 5)
}

func TestWriteWhileReading(t *testing.T) {
	inEachMode(t, writeWhileReading)
	t.Run("memory", func(t *testing.T) {
		writeWhileReading(t, open(t, libsql.Options{Target: provider.Target{URL: ":memory:"}}))
	})
	t.Run("rollback journal", func(t *testing.T) { writeWhileReading(t, rollbackJournal(t)) })
}

// A query reports a table's present columns, even after another connection has changed them.
func TestColumnsAreCurrent(t *testing.T) {
	inEachMode(t, func(t *testing.T, db *sql.DB) {
		exec(t, db, "CREATE TABLE t (a)")
		exec(t, db, "INSERT INTO t VALUES (1)")
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer conn.Close()
		stmt, err := conn.PrepareContext(t.Context(), "SELECT * FROM t")
		must(t, err)
		defer stmt.Close()
		columns := func(want ...string) {
			t.Helper()
			for _, query := range []func() (*sql.Rows, error){
				func() (*sql.Rows, error) { return conn.QueryContext(t.Context(), "SELECT * FROM t") },
				func() (*sql.Rows, error) { return stmt.QueryContext(t.Context()) },
			} {
				rows, err := query()
				must(t, err)
				names, err := rows.Columns()
				must(t, err)
				if diff := cmp.Diff(want, names); diff != "" {
					t.Error(diff)
				}
				var got [2]sql.NullString
				into := []any{&got[0], &got[1]}[:len(names)]
				for rows.Next() {
					must(t, rows.Scan(into...))
				}
				if value := got[0].String + got[1].String; value != strings.Join(want, "") && value != "1" {
					t.Errorf("columns %v hold %q", want, value)
				}
				must(t, rows.Close())
			}
		}
		columns("a")
		exec(t, db, "DROP TABLE t")
		exec(t, db, "CREATE TABLE t (b, c)")
		exec(t, db, "INSERT INTO t VALUES ('b', 'c')")
		columns("b", "c")
	})
}
