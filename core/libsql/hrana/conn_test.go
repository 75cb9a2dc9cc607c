package hrana

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
)

// TestRoundTrips counts requests: the package documents how many each operation takes.
func TestRoundTrips(t *testing.T) {
	f := newFake(t)
	rowID := "42"
	f.on("INSERT", wireResult{Affected: 3, RowID: &rowID})
	db := f.open()
	expect := func(what string, want int) {
		t.Helper()
		if got := f.took(); got != want {
			t.Errorf("%s took %d requests, want %d", what, got, want)
		}
	}

	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	expect("ping", 1)

	res, err := db.Exec("INSERT")
	if err != nil {
		t.Fatal(err)
	}
	expect("exec", 1)
	if id, err := res.LastInsertId(); id != 42 || err != nil {
		t.Errorf("LastInsertId = %d, %v", id, err)
	}
	if n, err := res.RowsAffected(); n != 3 || err != nil {
		t.Errorf("RowsAffected = %d, %v", n, err)
	}

	if got, err := numbers(db.Query("SELECT 1")); err != nil || !slices.Equal(got, []int64{1}) {
		t.Errorf("query = %v, %v", got, err)
	}
	expect("query", 1)

	stmt, err := db.Prepare("ECHO ?")
	if err != nil {
		t.Fatal(err)
	}
	expect("prepare, which checks the SQL", 1)
	again, err := db.Prepare("ECHO ?")
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	expect("prepare again", 0)
	for range 3 {
		if got, err := numbers(stmt.Query(7)); err != nil || !slices.Equal(got, []int64{7}) {
			t.Errorf("prepared query = %v, %v", got, err)
		}
		expect("prepared query", 1)
	}
	if err := stmt.Close(); err != nil {
		t.Error(err)
	}

	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	expect("begin", 0)
	if _, err := tx.Exec("INSERT"); err != nil {
		t.Fatal(err)
	}
	expect("first statement of a transaction, with BEGIN", 1)
	if got, err := numbers(tx.Query("SELECT 1")); err != nil || !slices.Equal(got, []int64{1}) {
		t.Errorf("query = %v, %v", got, err)
	}
	expect("second statement", 1)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	expect("commit and close", 1)

	tx, _ = db.Begin()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	tx, _ = db.Begin()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	expect("empty transactions", 0)
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
	if n := f.conns.Load(); n != 1 {
		t.Errorf("%d TCP connections, want one that is kept alive", n)
	}
}

func TestRequestBody(t *testing.T) {
	f := newFake(t)
	db := f.open()
	if _, err := db.Exec("ECHO ? \"\x01\n", "é\\"); err != nil {
		t.Fatal(err)
	}
	want := `{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"ECHO ? \"\u0001\n","args":[{"type":"text","value":"é\\"}],"want_rows":false}},{"type":"close"}]}`
	if f.bodies[0] != want {
		t.Errorf("body\n%s\nwant\n%s", f.bodies[0], want)
	}
}

func TestVersion2(t *testing.T) {
	f := newFake(t)
	f.version = 2
	db := f.open()
	for i, want := range []int{2, 1, 1} { // version 3 is tried once
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
		if got := f.took(); got != want {
			t.Errorf("ping %d took %d requests, want %d", i, got, want)
		}
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := numbers(tx.Query("SELECT 1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
}

func TestNoDatabaseThere(t *testing.T) {
	f := newFake(t)
	f.replies(404, "application/json", `{"error":"Namespace `+"`x`"+` doesn't exist"}`)
	c := f.connector()
	db := sql.OpenDB(c)
	defer db.Close()
	var e *HTTPError
	if err := db.Ping(); !errors.As(err, &e) || e.Status != 404 || e.Message != "Namespace `x` doesn't exist" {
		t.Errorf("Ping: %v, want the server's 404", err)
	}
	if v := c.version.Load(); v != 0 {
		t.Errorf("version = %d, want 0: a 404 says nothing about it", v)
	}
}

func TestSeveralStatements(t *testing.T) {
	f := newFake(t)
	f.on("B", wireResult{Affected: 2})
	f.on(" C", wireResult{Affected: 3})
	f.fail("BAD", "SQL_INPUT_ERROR", "near BAD")
	db := f.open()

	res, err := db.Exec("A; B;; -- C\n")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.RowsAffected(); n != 2 {
		t.Errorf("RowsAffected = %d, want the last statement's", n)
	}
	if got := f.statements(); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("ran %q", got)
	}
	var e *Error
	if _, err = db.Exec("A; BAD; B"); !errors.As(err, &e) || e.Statement != 2 || e.Code != "SQL_INPUT_ERROR" {
		t.Errorf("Exec: %v, want SQL_INPUT_ERROR in statement 2", err)
	}
	if got := f.statements(); !slices.Equal(got, []string{"A", "BAD"}) {
		t.Errorf("ran %q after a failure", got)
	}
	f.took()
	if _, err := db.Exec("A; ECHO ?", 1); err == nil {
		t.Error("Exec accepted arguments for several statements")
	}
	if _, err := db.Query("A; ECHO ?", 1); err == nil {
		t.Error("Query accepted arguments for several statements")
	}
	if _, err := db.Query(" -- nothing"); err == nil {
		t.Error("Query accepted an empty query")
	}
	if _, err := db.Exec("-- nothing\n;"); err != nil {
		t.Errorf("Exec of an empty script: %v", err)
	}
	if n := f.took(); n != 0 {
		t.Errorf("%d requests for statements that can't be sent", n)
	}
}

// TestRawTransaction sends BEGIN as a statement, as a shell does.
func TestRawTransaction(t *testing.T) {
	f := newFake(t)
	f.fail("BEGIN IMMEDIATE", "SQLITE_BUSY", "database is locked")
	c := f.connector()
	db := sql.OpenDB(c)
	conn, err := db.Conn(bg)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(query string) {
		t.Helper()
		if _, err := conn.ExecContext(bg, query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	for _, end := range []string{"COMMIT", "ROLLBACK", "END"} {
		exec("BEGIN")
		exec("A")
		if f.openStreams() == 0 { // the previous stream may still be closing
			t.Fatal("no stream is open after BEGIN")
		}
		if _, err := conn.BeginTx(bg, nil); err == nil {
			t.Error("BeginTx after BEGIN returned no error")
		}
		exec(end)
		exec("A")
	}
	exec("BEGIN; A; COMMIT")
	if _, err := conn.ExecContext(bg, "BEGIN IMMEDIATE"); !errors.Is(err, &Error{Code: "SQLITE_BUSY"}) {
		t.Errorf("BEGIN IMMEDIATE: %v, want SQLITE_BUSY", err)
	}
	exec("A")
	exec("SAVEPOINT x")
	exec("ROLLBACK TO x")
	if err := conn.Close(); err != nil { // with the savepoint open
		t.Fatal(err)
	}
	if err := errors.Join(db.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
}

func TestClosedConnector(t *testing.T) {
	f := newFake(t)
	c := f.connector()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connect(bg); !errors.Is(err, ErrClosed) {
		t.Errorf("Connect: %v", err)
	}
	if _, err := c.Driver().Open("x"); err == nil {
		t.Error("the driver opens a database by name")
	}
	if slices.Contains(sql.Drivers(), "libsql") || slices.Contains(sql.Drivers(), "hrana") {
		t.Error("a driver name is registered")
	}
}

// TestLegacyMethods checks that methods which the driver interfaces demand and database/sql
// never calls return errors.
func TestLegacyMethods(t *testing.T) {
	f := newFake(t)
	c, err := f.connector().Connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Prepare("SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 the deprecated method is what is tested
	if _, err := s.Exec(nil); err == nil {
		t.Error("Exec without a context returned no error")
	}
	//lint:ignore SA1019 the deprecated method is what is tested
	if _, err := s.Query([]driver.Value{}); err == nil {
		t.Error("Query without a context returned no error")
	}
	//lint:ignore SA1019 the deprecated method is what is tested
	tx, err := c.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("second rollback: %v", err)
	}
}
