package hrana

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
)

func TestExecBatch(t *testing.T) {
	f := newFake(t)
	rowID := "5"
	f.on("INSERT", wireResult{Affected: 1, RowID: &rowID})
	f.on("SELECT many", count(3))
	f.fail("BAD", "SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.a")
	db := f.open()
	connect := func() *sql.Conn {
		c, err := db.Conn(bg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	c := connect()
	stmts := []Statement{
		{SQL: "INSERT"}, {SQL: "ECHO :a", Args: []any{sql.Named("a", "x")}},
		{SQL: "ECHO ?", Args: []any{true}}, {SQL: "SELECT many"},
	}
	ran := func(want string, requests int) {
		t.Helper()
		if got := strings.Join(f.statements(), ","); got != want {
			t.Errorf("ran %s, want %s", got, want)
		}
		if n := f.took(); n != requests {
			t.Errorf("%d requests, want %d", n, requests)
		}
	}
	res, err := ExecBatch(bg, c, stmts)
	if err != nil || len(res) != 4 || res[0] != (Result{RowsAffected: 1, LastInsertID: 5}) {
		t.Fatalf("results %+v, %v", res, err)
	}
	ran("INSERT,ECHO :a,ECHO ?,SELECT many", 1)

	// A transaction may begin in one batch and end in another.
	if _, err := ExecBatch(bg, c, []Statement{{SQL: "BEGIN"}, {SQL: "INSERT"}}); err != nil {
		t.Fatal(err)
	}
	if open, err := Transaction(c); !open || err != nil {
		t.Errorf("transaction open %v, %v", open, err)
	}
	if _, err := ExecBatch(bg, c, []Statement{{SQL: "INSERT"}, {SQL: "COMMIT"}}); err != nil {
		t.Fatal(err)
	}
	if open, err := Transaction(c); open || err != nil {
		t.Errorf("transaction open %v, %v", open, err)
	}
	f.took()
	f.statements()

	// Statements after a failed one don't run.
	for _, test := range []struct {
		stmts []Statement
		want  string
		done  int
	}{
		{[]Statement{{SQL: "INSERT"}, {SQL: "BAD"}, {SQL: "INSERT"}}, "INSERT,BAD", 1},
		{[]Statement{{SQL: "BEGIN"}, {SQL: "INSERT"}, {SQL: "BAD"}, {SQL: "COMMIT"}}, "BEGIN,INSERT,BAD", 2},
	} {
		res, err := ExecBatch(bg, connect(), test.stmts)
		var e *Error
		if !errors.As(err, &e) || e.Statement != len(test.stmts)-1 || !errors.Is(err, ErrUnique) || len(res) != test.done {
			t.Errorf("ExecBatch returned %d results, %v", len(res), err)
		}
		if got := strings.Join(f.statements(), ","); got != test.want {
			t.Errorf("ran %s, want %s", got, test.want)
		}
	}
	f.took()
	for _, s := range []Statement{{SQL: "A; B"}, {SQL: ""}, {SQL: "ECHO ?"}, {SQL: "ECHO ?", Args: []any{struct{}{}}}} {
		if _, err := ExecBatch(bg, c, []Statement{{SQL: "INSERT"}, s}); err == nil || !strings.Contains(err.Error(), "statement 2: ") {
			t.Errorf("%v: %v, want an error of statement 2", s, err)
		}
	}
	if res, err := ExecBatch(bg, c, nil); res != nil || err != nil || f.took() != 0 {
		t.Errorf("an empty batch: %v, %v", res, err)
	}
}
