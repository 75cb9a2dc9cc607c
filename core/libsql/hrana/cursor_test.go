package hrana

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// tooLargeThen makes a pipeline fail with RESPONSE_TOO_LARGE and a cursor succeed.
func (f *fake) tooLargeThen(sql string, res wireResult, failure *wireError) {
	f.fail(sql, "RESPONSE_TOO_LARGE", "Response is too large")
	f.answer[sql+" --cursor"] = func(*fakeStream, wireStmt) (wireResult, *wireError) { return res, failure }
}

func TestCursor(t *testing.T) {
	const n = 3000
	f := newFake(t)
	f.tooLargeThen("SELECT many", count(n), nil)
	f.tooLargeThen("SELECT broken", count(10), &wireError{"disk I/O error", "SQLITE_IOERR"})
	f.tooLargeThen("SELECT wrong", wireResult{}, &wireError{"no such table: t", "SQLITE_UNKNOWN"})
	f.tooLargeThen("DELETE FROM t RETURNING *", count(n), nil)
	c := f.connector()
	db := sql.OpenDB(c)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]interface {
		Query(string, ...any) (*sql.Rows, error)
	}{"autocommit": db, "transaction": tx} {
		if got, err := numbers(q.Query("SELECT many")); err != nil || !slices.Equal(got, upTo(n)) {
			t.Errorf("%s: %d rows, %v", name, len(got), err)
		}
		var e *Error
		if got, err := numbers(q.Query("SELECT broken")); !errors.As(err, &e) || e.Code != "SQLITE_IOERR" || len(got) != 10 {
			t.Errorf("%s: %d rows, %v", name, len(got), err)
		}
		if _, err := numbers(q.Query("SELECT wrong")); !errors.As(err, &e) || e.Code != "SQLITE_UNKNOWN" {
			t.Errorf("%s: %v, want SQLITE_UNKNOWN", name, err)
		}
		rows, err := q.Query("SELECT many")
		if err != nil {
			t.Fatal(err)
		}
		rows.Next()
		if err := rows.Close(); err != nil {
			t.Errorf("%s: Close of the rows: %v", name, err)
		}
		if _, err := numbers(q.Query("DELETE FROM t RETURNING *")); !errors.As(err, &e) || e.Code != "RESPONSE_TOO_LARGE" {
			t.Errorf("%s: a write was sent again: %v", name, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	closeAll(t, db, c)
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
}

var cursors = []string{
	`{"baton":"b","base_url":null}
{"type":"step_begin","step":0,"cols":[{"name":"a","decltype":null}]}
{"type":"row","row":[{"type":"integer","value":"1"}]}
{"row":[{"type":"text","value":"x"}],"type":"row"}
{"type":"future","x":[1]}
{"type":"step_end","affected_row_count":0,"last_insert_rowid":null}
{"type":"replication_index","replication_index":1}
`,
	`{} {"type":"step_begin","cols":[]} {"type":"row","row":[]} {"type":"step_end"}`,
}

var brokenCursors = []string{
	``, `[]`, `{"baton":5}`, `{} {`, `{} 5`,
	`{} {"type":"step_begin","step":0,"cols":[]}`,
	`{} {"type":"step_begin","step":1,"cols":[]}`,
	`{} {"type":"step_begin","step":-1,"cols":[]}`,
	`{} {"type":"step_end"}`,
	`{} {"type":"row","row":[]}`,
	`{} {"type":"step_error","step":0}`,
	`{} {"type":"step_error","step":9,"error":{}}`,
	`{} {"type":"error"}`,
	`{} {"type":"step_begin","step":0,"cols":[{"name":"a"}]} {"type":"row","row":[]}`,
	`{} {"type":"step_begin","step":0,"cols":[]} {"type":"step_begin","step":0,"cols":[]}`,
}

func readCursor(body string) (rows int, err error) {
	read, err := readCursorFrom(strings.NewReader(body))
	return len(read), err
}

func readCursorFrom(body io.Reader) (rows [][]driver.Value, err error) {
	s := newScanner(body, 1<<20)
	defer s.free()
	c := &cursor{s: s, steps: make([]outcome, 1)}
	if err := c.start(); err != nil {
		return nil, err
	}
	row := make([]driver.Value, len(c.steps[0].cols))
	for {
		more, err := c.row(row)
		if err != nil {
			return rows, err
		}
		if !more {
			_, _, err := c.after()
			return rows, err
		}
		rows = append(rows, slices.Clone(row))
	}
}

func TestCursorAnswers(t *testing.T) {
	for i, body := range cursors {
		if n, err := readCursor(body); err != nil || n != 2-i {
			t.Errorf("%s: %d rows, %v", body, n, err)
		}
	}
	for _, body := range brokenCursors {
		if _, err := readCursor(body); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v, want ErrProtocol", body, err)
		}
	}
	var e *Error
	for _, body := range []string{`{} {"type":"error","error":"text"}`, `{} {"type":"error","error":{"message":"text","code":"X"}}`} {
		if _, err := readCursor(body); !errors.As(err, &e) || e.Message != "text" {
			t.Errorf("%s: %v, want an Error with the message", body, err)
		}
	}
	if _, err := readCursor(`{"baton":null}`); !errors.Is(err, ErrNoTransaction) {
		t.Errorf("a skipped step: %v, want ErrNoTransaction", err)
	}
}

// FuzzCursor looks for panics, endless loops, and rows that differ when they are read byte by
// byte.
func FuzzCursor(f *testing.F) {
	for _, body := range append(cursors, brokenCursors...) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		whole, err := readCursorFrom(strings.NewReader(body))
		if rows := strings.Count(body, "["); err == nil && len(whole) > rows {
			t.Fatalf("%d rows out of %d arrays", len(whole), rows)
		}
		bytewise, err2 := readCursorFrom(iotest.OneByteReader(strings.NewReader(body)))
		// Compared as text, because NaN differs from itself.
		if a, b := fmt.Sprintf("%T %v", whole, whole), fmt.Sprintf("%T %v", bytewise, bytewise); (err == nil) != (err2 == nil) || a != b {
			t.Fatalf("whole: %s, %v, byte by byte: %s, %v", a, err, b, err2)
		}
	})
}
