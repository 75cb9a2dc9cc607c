package hrana

import (
	"database/sql"
	"errors"
	"net/http"
	"testing"
)

// TestRawTransactionEnds ends transactions by other means than COMMIT or ROLLBACK: the
// server's state decides, not the statement's text.
func TestRawTransactionEnds(t *testing.T) {
	f := newFake(t)
	f.answer["CONFLICT"] = func(s *fakeStream, _ wireStmt) (wireResult, *wireError) {
		s.inTx = false // as INSERT OR ROLLBACK does
		return wireResult{}, &wireError{"SQLite error: UNIQUE constraint failed: t.a", "SQLITE_CONSTRAINT"}
	}
	f.answer["SELECT AND END"] = func(s *fakeStream, _ wireStmt) (wireResult, *wireError) {
		s.inTx = false
		return count(3), nil
	}
	c := f.connector()
	db := sql.OpenDB(c)
	defer closeAll(t, db, c)
	conn, err := db.Conn(bg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	want := func(open bool) {
		t.Helper()
		if got, err := Transaction(conn); got != open || err != nil {
			t.Errorf("transaction open: %v, %v", got, err)
		}
	}
	exec := func(query string) error {
		_, err := conn.ExecContext(bg, query)
		return err
	}
	if err := exec("A"); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func() error{
		"release":  func() error { return exec("RELEASE a") },
		"conflict": func() error { return exec("CONFLICT") },
		"the end in a query's rows": func() error {
			_, err := numbers(conn.QueryContext(bg, "SELECT AND END"))
			return err
		},
		"the end in a script": func() error { return exec("COMMIT; A") },
	} {
		want(false)
		if err := errors.Join(exec("SAVEPOINT a"), exec("A")); err != nil {
			t.Fatal(err)
		}
		want(true)
		if err := end(); (err != nil) != (name == "conflict") {
			t.Errorf("%s: %v", name, err)
		}
		want(false)
	}
	// When the server ended the transaction between two statements, the next batch must not
	// run outside of one.
	if err := exec("BEGIN"); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	for _, s := range f.streams {
		s.inTx = false
	}
	f.mu.Unlock()
	f.statements()
	if err := exec("A; A"); !errors.Is(err, ErrNoTransaction) || len(f.statements()) != 0 {
		t.Errorf("after the server ended the transaction: %v", err)
	}
	want(false)
	if err := exec("A"); err != nil {
		t.Error(err)
	}
}

// TestLostRawTransaction checks that after a lost transaction nothing runs until the caller
// ends it.
func TestLostRawTransaction(t *testing.T) {
	f := newFake(t)
	c := f.connector()
	db := sql.OpenDB(c)
	defer closeAll(t, db, c)
	conn, err := db.Conn(bg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, end := range []string{"ROLLBACK", "COMMIT"} {
		if _, err := conn.ExecContext(bg, "BEGIN"); err != nil {
			t.Fatal(err)
		}
		f.replies(http.StatusBadRequest, "application/json", `{"message":"The stream has expired due to inactivity","code":"STREAM_EXPIRED"}`)
		for range 2 {
			if _, err := conn.ExecContext(bg, "A"); !errors.Is(err, ErrStreamExpired) {
				t.Errorf("a statement after the loss: %v, want ErrStreamExpired", err)
			}
		}
		if open, err := Transaction(conn); !open || !errors.Is(err, ErrStreamExpired) {
			t.Errorf("transaction open: %v, %v", open, err)
		}
		f.mu.Lock()
		f.intercept = nil
		f.mu.Unlock()
		if _, err := conn.ExecContext(bg, end); errors.Is(err, ErrStreamExpired) != (end == "COMMIT") {
			t.Errorf("%s after the loss: %v", end, err)
		}
		if _, err := conn.ExecContext(bg, "A"); err != nil {
			t.Errorf("after %s: %v", end, err)
		}
	}
}

func TestResultSets(t *testing.T) {
	f := newFake(t)
	f.on("TWO", count(2))
	f.on("THREE", count(3))
	f.fail("BAD", "SQL_INPUT_ERROR", "near BAD")
	db := f.open()
	sets := func(query string) (rows []int, err error) {
		rs, err := db.Query(query)
		if err != nil {
			return nil, err
		}
		defer rs.Close()
		for {
			n := 0
			for rs.Next() {
				n++
			}
			rows = append(rows, n)
			if !rs.NextResultSet() {
				return rows, rs.Err()
			}
		}
	}
	f.took()
	if rows, err := sets("TWO; A; THREE; SELECT 1"); err != nil || len(rows) != 4 || rows[0] != 2 || rows[1] != 0 || rows[2] != 3 || rows[3] != 1 {
		t.Errorf("rows of each result: %v, %v, want [2 0 3 1]", rows, err)
	}
	if n := f.took(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	var e *Error
	if rows, err := sets("TWO; BAD; THREE"); !errors.As(err, &e) || e.Statement != 2 || len(rows) != 1 {
		t.Errorf("failure of the second: %v, %v", rows, err)
	}
	if rows, err := sets("BAD; TWO"); !errors.As(err, &e) || e.Statement != 1 || rows != nil {
		t.Errorf("failure of the first: %v, %v", rows, err)
	}
}
