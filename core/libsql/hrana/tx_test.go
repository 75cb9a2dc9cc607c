package hrana

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// closeAll closes db, and c, which waits for its background work.
func closeAll(t *testing.T, db *sql.DB, c *Connector) {
	t.Helper()
	if err := errors.Join(db.Close(), c.Close()); err != nil {
		t.Error(err)
	}
}

func TestIsolation(t *testing.T) {
	db := newFake(t).open()
	for level := sql.LevelDefault; level <= sql.LevelLinearizable; level++ {
		tx, err := db.BeginTx(bg, &sql.TxOptions{Isolation: level})
		if supported := level == sql.LevelDefault || level == sql.LevelSerializable; supported != (err == nil) {
			t.Errorf("BeginTx with isolation %s: %v", level, err)
		}
		if err == nil {
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestReadOnlyTransaction(t *testing.T) {
	f := newFake(t)
	db := f.open(func(c *Config) { c.TxMode = Immediate })
	tx, err := db.BeginTx(bg, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := numbers(tx.Query("SELECT 1")); err != nil {
		t.Error(err)
	}
	if _, err := tx.Exec("DELETE FROM t"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("exec: %v", err)
	}
	if _, err := tx.Query("DELETE FROM t RETURNING *"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("query: %v", err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if got := f.statements(); !slices.Equal(got, []string{"BEGIN", "SELECT 1", "COMMIT"}) {
		t.Errorf("ran %q", got)
	}
}

func TestImmediate(t *testing.T) {
	f := newFake(t)
	db := f.open(func(c *Config) { c.TxMode = Immediate })
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if got := f.statements(); !slices.Equal(got, []string{"BEGIN IMMEDIATE"}) {
		t.Errorf("ran %q, want BEGIN IMMEDIATE at once", got)
	}
	if _, err := tx.Exec("A"); err != nil {
		t.Error(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if got := f.statements(); !slices.Equal(got, []string{"A", "ROLLBACK"}) {
		t.Errorf("ran %q", got)
	}
	if n := f.took(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	f.fail("BEGIN IMMEDIATE", "SQLITE_BUSY", "database is locked")
	if _, err := db.Begin(); !errors.Is(err, &Error{Code: "SQLITE_BUSY"}) {
		t.Errorf("Begin: %v, want SQLITE_BUSY", err)
	}
}

// TestBeginFails checks that a statement sent together with BEGIN doesn't run if BEGIN fails.
func TestBeginFails(t *testing.T) {
	f := newFake(t)
	f.fail("BEGIN", "BLOCKED", "reads are blocked")
	c := f.connector()
	db := sql.OpenDB(c)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := tx.Exec("A"); !errors.Is(err, &Error{Code: "BLOCKED"}) {
			t.Errorf("the first statement: %v, want BLOCKED", err)
		}
	}
	if err := tx.Commit(); err == nil {
		t.Error("commit of a transaction that never began succeeded")
	}
	closeAll(t, db, c)
	if got := f.statements(); !slices.Equal(got, []string{"BEGIN"}) {
		t.Errorf("ran %q", got)
	}
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
}

// TestEndedByServer checks that after the server rolled back by itself, no later statement
// runs outside of a transaction.
func TestEndedByServer(t *testing.T) {
	f := newFake(t)
	f.answer["CONFLICT"] = func(s *fakeStream, _ wireStmt) (wireResult, *wireError) {
		s.inTx = false
		return wireResult{}, &wireError{"UNIQUE constraint failed: t.a", "SQLITE_CONSTRAINT_UNIQUE"}
	}
	db := f.open()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("A"); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("CONFLICT"); !errors.Is(err, &Error{Code: "SQLITE_CONSTRAINT"}) || errors.Is(err, &Error{Code: "SQLITE_CON"}) {
		t.Errorf("the statement that conflicts: %v, want SQLITE_CONSTRAINT", err)
	}
	if _, err := tx.Exec("A"); !errors.Is(err, ErrNoTransaction) {
		t.Errorf("exec: %v", err)
	}
	if _, err := tx.Query("SELECT 1"); !errors.Is(err, ErrNoTransaction) {
		t.Errorf("query: %v", err)
	}
	if _, err := tx.Exec("A; B"); !errors.Is(err, ErrNoTransaction) {
		t.Errorf("several statements: %v", err)
	}
	if err := tx.Commit(); err == nil {
		t.Error("commit of an ended transaction succeeded")
	}
	if got := f.statements(); !slices.Equal(got, []string{"BEGIN", "A", "CONFLICT", "COMMIT"}) {
		t.Errorf("ran %q", got)
	}
}

// TestErrorKeepsTransaction checks that a failed statement doesn't end its transaction, as in
// SQLite.
func TestErrorKeepsTransaction(t *testing.T) {
	f := newFake(t)
	f.fail("BAD", "SQLITE_CONSTRAINT", "NOT NULL constraint failed: t.a")
	db := f.open()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if _, err := tx.Exec("BAD"); !errors.As(err, &e) || e.Statement != 0 {
		t.Errorf("Exec: %v, want an Error without a statement number", err)
	}
	if _, err := numbers(tx.Query("BAD")); !errors.As(err, &e) || e.Statement != 0 {
		t.Errorf("Query: %v, want an Error without a statement number", err)
	}
	if _, err := tx.Exec("A; BAD; B"); !errors.As(err, &e) || e.Statement != 2 {
		t.Errorf("Exec of three statements: %v, want an Error in statement 2", err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if got := f.statements(); !slices.Equal(got, []string{"BEGIN", "BAD", "BAD", "A", "BAD", "COMMIT"}) {
		t.Errorf("ran %q", got)
	}
}

// TestStreamExpired covers the ways in which a server may report a lost stream.
func TestStreamExpired(t *testing.T) {
	tests := []struct {
		status int
		body   string
		lost   bool
	}{
		{400, `{"message":"The stream has expired due to inactivity","code":"STREAM_EXPIRED"}`, true},
		{400, "Received an invalid baton", true},
		{404, `{"error":"stream not found: 123"}`, true},
		{410, "", true},
		{400, `{"error":"JWT error: ExpiredSignature"}`, false},
		{401, `{"error":"Unauthorized"}`, false},
		{502, "upstream forward failed", false},
	}
	for _, test := range tests {
		f := newFake(t)
		c := f.connector()
		db := sql.OpenDB(c)
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("A"); err != nil {
			t.Fatal(err)
		}
		f.replies(test.status, "text/plain", test.body)
		for range 2 { // the second time without a request
			_, err = tx.Exec("A")
			var e *HTTPError
			if errors.Is(err, ErrStreamExpired) != test.lost || !errors.As(err, &e) || e.Status != test.status {
				t.Errorf("status %d %s: %v", test.status, test.body, err)
			}
		}
		if err := tx.Commit(); err == nil {
			t.Error("commit of a lost transaction succeeded")
		}
		closeAll(t, db, c)
		f.replies(test.status, "text/plain", test.body)
		if err := sql.OpenDB(f.connector()).Ping(); errors.Is(err, ErrStreamExpired) || err == nil {
			t.Errorf("%d without a stream: %v", test.status, err)
		}
	}
}

// TestCanceledStatement checks that a transaction in an unknown state after a canceled
// request is given up, and that its connection is usable for the next one.
func TestCanceledStatement(t *testing.T) {
	f := newFake(t)
	c := f.connector()
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("A"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(bg)
	f.mu.Lock()
	f.intercept = func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		if ctx.Err() != nil {
			return false
		}
		cancel()
		<-r.Context().Done()
		return true
	}
	f.mu.Unlock()
	if _, err := tx.ExecContext(ctx, "B"); !errors.Is(err, context.Canceled) {
		t.Errorf("the canceled statement: %v, want context.Canceled", err)
	}
	if _, err := tx.Exec("C"); !errors.Is(err, context.Canceled) {
		t.Errorf("the next statement: %v, want context.Canceled", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if err := db.Ping(); err != nil {
		t.Error(err)
	}
	closeAll(t, db, c)
	if got := f.statements(); !slices.Equal(got, []string{"BEGIN", "A", "SELECT 1"}) {
		t.Errorf("ran %q", got)
	}
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
}

// TestContextEndsTransaction checks that database/sql's rollback at the end of BeginTx's
// context reaches the server.
func TestContextEndsTransaction(t *testing.T) {
	f := newFake(t)
	c := f.connector()
	db := sql.OpenDB(c)
	ctx, cancel := context.WithCancel(bg)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("A"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := tx.Commit(); err == nil {
		t.Error("commit after cancel succeeded")
	}
	for db.Stats().InUse > 0 { // the rollback runs in a goroutine of database/sql
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
	}
	closeAll(t, db, c)
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
	if slices.Contains(f.statements(), "COMMIT") {
		t.Error("COMMIT was sent")
	}
}

func TestBaseURL(t *testing.T) {
	for base, follow := range map[string]bool{
		"https://evil.example":       false,
		"http://127.0.0.1:1/dbs/":    false,
		"ftp://127.0.0.1":            false,
		"::":                         false,
		"HOST/dbs/test":              true,
		"HOST/elsewhere":             true,
		"http://user:pw@HOSTONLY/":   false,
		"HOST/dbs/test?redirect=yes": false,
	} {
		f := newFake(t)
		f.baseURL = strings.NewReplacer("HOSTONLY", f.server.Listener.Addr().String(), "HOST", f.server.URL).Replace(base)
		c := f.connector()
		db := sql.OpenDB(c)
		if err := db.Ping(); err != nil {
			t.Errorf("%s: ping, which ignores the base URL: %v", base, err)
		}
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = tx.Exec("A"); follow != (err == nil) || !follow && !errors.Is(err, ErrProtocol) {
			t.Errorf("base URL %s: %v", base, err)
		}
		f.took()
		_ = tx.Rollback()
		if base == "HOST/elsewhere" {
			f.mu.Lock()
			if !slices.Contains(f.paths, "/elsewhere/v3/pipeline") {
				t.Errorf("the following requests went to %q", f.paths)
			}
			f.mu.Unlock()
		}
		closeAll(t, db, c)
	}
}
