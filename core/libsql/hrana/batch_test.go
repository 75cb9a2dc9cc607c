package hrana

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
)

func TestBatch(t *testing.T) {
	f := newFake(t)
	rowID := "5"
	f.on("INSERT", wireResult{Affected: 1, RowID: &rowID})
	f.on("SELECT many", count(3))
	f.fail("BAD", "SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.a")
	c := f.connector()
	defer c.Close()
	stmts := []Statement{
		{SQL: "INSERT"}, {SQL: "ECHO :a", Args: []any{sql.Named("a", "x")}},
		{SQL: "ECHO ?", Args: []any{true}}, {SQL: "SELECT many"},
	}
	for mode, want := range map[TxMode]string{
		Deferred:   "BEGIN,INSERT,ECHO :a,ECHO ?,SELECT many,COMMIT",
		Immediate:  "BEGIN IMMEDIATE,INSERT,ECHO :a,ECHO ?,SELECT many,COMMIT",
		Autocommit: "INSERT,ECHO :a,ECHO ?,SELECT many",
	} {
		res, err := c.Batch(bg, mode, stmts)
		if err != nil || len(res) != 4 {
			t.Fatalf("%d results, %v", len(res), err)
		}
		if res[0].RowsAffected != 1 || res[0].LastInsertID != 5 || res[1].Rows[0][0] != "x" ||
			res[2].Rows[0][0] != int64(1) || len(res[3].Rows) != 3 || res[3].Columns[0] != "n" {
			t.Errorf("results = %+v", res)
		}
		if got := strings.Join(f.statements(), ","); got != want {
			t.Errorf("ran %s, want %s", got, want)
		}
		if n := f.took(); n != 1 {
			t.Errorf("%d requests", n)
		}
	}
	bad := []Statement{{SQL: "INSERT"}, {SQL: "BAD"}, {SQL: "INSERT"}}
	for mode, want := range map[TxMode]string{Deferred: "BEGIN,INSERT,BAD,ROLLBACK", Autocommit: "INSERT,BAD"} {
		res, err := c.Batch(bg, mode, bad)
		var e *Error
		if !errors.As(err, &e) || e.Statement != 2 {
			t.Errorf("err = %v", err)
		}
		if kept := len(res); (mode == Autocommit) != (kept == 1) {
			t.Errorf("%d results", kept)
		}
		if got := strings.Join(f.statements(), ","); got != want {
			t.Errorf("ran %s, want %s", got, want)
		}
	}
	f.fail("COMMIT", "SQLITE_BUSY", "database is locked")
	if res, err := c.Batch(bg, Deferred, stmts); !errors.Is(err, &Error{Code: "SQLITE_BUSY"}) || res != nil {
		t.Errorf("failed commit: %v, %v", res, err)
	}
	f.took()
	for _, s := range []Statement{{SQL: "A; B"}, {SQL: ""}, {SQL: "ECHO ?"}, {SQL: "ECHO ?", Args: []any{struct{}{}}}} {
		if _, err := c.Batch(bg, Deferred, []Statement{s}); err == nil {
			t.Errorf("%v went through", s)
		}
	}
	if res, err := c.Batch(bg, Deferred, nil); res != nil || err != nil || f.took() != 0 {
		t.Errorf("an empty batch: %v, %v", res, err)
	}
}
