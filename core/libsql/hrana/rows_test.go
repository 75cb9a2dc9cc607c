package hrana

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func upTo(n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func TestColumnTypes(t *testing.T) {
	f := newFake(t)
	decl := func(s string) *string { return &s }
	f.on("SELECT 1", wireResult{Cols: []wireCol{{"a", decl("varchar(20)")}, {"b", nil}, {"c", decl("UNSIGNED BIG INT")}}})
	rows, err := f.open().Query("SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range types {
		got = append(got, c.Name()+" "+c.DatabaseTypeName())
		if _, ok := c.Nullable(); ok {
			t.Error("nullability is claimed")
		}
	}
	if !slices.Equal(got, []string{"a VARCHAR", "b ", "c UNSIGNED BIG INT"}) {
		t.Errorf("types = %q", got)
	}
}

// TestRowsStream reads a row before the server has sent the next.
func TestRowsStream(t *testing.T) {
	f := newFake(t)
	step := make(chan struct{})
	f.intercept = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		fmt.Fprint(w, `{"baton":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"n"}],"rows":[`)
		for i := range 3 {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `[{"type":"integer","value":"%d"}]`, i)
			w.(http.Flusher).Flush()
			<-step
		}
		fmt.Fprint(w, `]}}}`+okClose+`]}`)
		return true
	}
	rows, err := f.open().Query("SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		var n int64
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Scan(&n); err != nil || n != i {
			t.Errorf("row %d is %d, %v", i, n, err)
		}
		step <- struct{}{}
	}
	if rows.Next() || rows.Err() != nil {
		t.Errorf("after the last row: %v", rows.Err())
	}
}

// hang makes the fake send some rows and then nothing until the client is gone.
func (f *fake) hang(prefix string) (gone chan struct{}) {
	gone = make(chan struct{})
	f.intercept = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		fmt.Fprint(w, prefix)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
		return true
	}
	return gone
}

const twoRows = `{"baton":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"n"}],"rows":[[{"type":"null"}],[{"type":"null"}],`

func TestCancelInRows(t *testing.T) {
	f := newFake(t)
	gone := f.hang(twoRows)
	ctx, cancel := context.WithCancel(bg)
	rows, err := f.open().QueryContext(ctx, "SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
	}
	cancel()
	if rows.Next() || !errors.Is(rows.Err(), context.Canceled) {
		t.Errorf("after cancel: %v", rows.Err())
	}
	<-gone // the server noticed, too
}

func TestTimeout(t *testing.T) {
	for name, prefix := range map[string]string{"before the answer": "", "in the answer": twoRows} {
		f := newFake(t)
		gone := f.hang(prefix)
		db := f.open(func(c *Config) { c.Timeout = 50 * time.Millisecond })
		rows, err := db.Query("SELECT 1")
		for err == nil && rows.Next() {
		}
		if err == nil {
			err = rows.Err()
		}
		if !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		<-gone
	}
}

// TestCloseEarly: a short rest is read so that the HTTP connection lives on; a
// long one is cut.
func TestCloseEarly(t *testing.T) {
	f := newFake(t)
	f.on("SELECT short", count(100))
	f.on("SELECT long", count(100_000))
	db := f.open()
	for _, test := range []struct {
		sql   string
		conns int32
	}{{"SELECT short", 1}, {"SELECT short", 1}, {"SELECT long", 1}, {"SELECT short", 2}} {
		rows, err := db.Query(test.sql)
		if err != nil {
			t.Fatal(err)
		}
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
		if got := f.conns.Load(); got != test.conns {
			t.Errorf("%s: %d TCP connections so far, want %d", test.sql, got, test.conns)
		}
	}
}

// TestOpenRowsInTransaction: database/sql lets statements run while rows of the
// same transaction are open, but the stream's next baton comes after them.
func TestOpenRowsInTransaction(t *testing.T) {
	const n = 5000
	f := newFake(t)
	f.on("SELECT many", count(n))
	db := f.open()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	outer, err := tx.Query("SELECT many")
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for outer.Next() {
		var v int64
		if err := outer.Scan(&v); err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
		if v%1000 == 0 {
			if inner, err := numbers(tx.Query("SELECT 1")); err != nil || !slices.Equal(inner, []int64{1}) {
				t.Fatalf("inner query: %v, %v", inner, err)
			}
			if _, err := tx.Exec("A"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := outer.Err(); err != nil || !slices.Equal(got, upTo(n)) {
		t.Errorf("%d rows, %v", len(got), err)
	}
	again, err := tx.Query("SELECT many")
	if err != nil {
		t.Fatal(err)
	}
	again.Next()
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	last, err := tx.Query("SELECT many")
	if err != nil {
		t.Fatal(err)
	}
	last.Next()
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	_ = last.Close()
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
}

func TestMaxMemory(t *testing.T) {
	f := newFake(t)
	f.on("SELECT many", count(50_000))
	db := f.open(func(c *Config) { c.MaxMemory = 64 << 10 })
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := numbers(tx.Query("SELECT many")); err != nil || len(got) != 50_000 {
		t.Errorf("streamed: %d rows, %v", len(got), err)
	}
	rows, err := tx.Query("SELECT many")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("A"); !errors.Is(err, errBudget) {
		t.Errorf("exec beside many rows: %v", err)
	}
	if got, err := numbers(rows, nil); !errors.Is(err, errBudget) {
		t.Errorf("%d rows, %v", len(got), err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

// TestBatonAfterResults has the keys in the order that a server may also use.
func TestBatonAfterResults(t *testing.T) {
	f := newFake(t)
	f.intercept = func(w http.ResponseWriter, _ *http.Request, body []byte) bool {
		if strings.Contains(string(body), `"baton":"b2"`) {
			fmt.Fprint(w, `{"results":[{"response":{"result":{"affected_row_count":0},"type":"execute"},"type":"ok"}`+okClose+`],"baton":null}`)
			return true
		}
		fmt.Fprint(w, `{"results":[{"type":"ok","response":{"result":{"step_errors":[null,null],"step_results":[{"cols":[],"rows":[]},`+
			`{"rows":[[{"type":"integer","value":"3"}]],"cols":[{"name":"n"}]}]},"type":"batch"}}],"base_url":null,"baton":"b2"}`)
		return true
	}
	tx, err := f.open().Begin()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := numbers(tx.Query("SELECT 1")); err != nil || !slices.Equal(got, []int64{3}) {
		t.Errorf("query = %v, %v", got, err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

// tooLargeThen makes the pipeline refuse and the cursor answer.
func (f *fake) tooLargeThen(sql string, res wireResult, failure *wireError) {
	f.fail(sql, "RESPONSE_TOO_LARGE", "Response is too large")
	f.answer[sql+" --cursor"] = func(*fakeStream, wireStmt) (wireResult, *wireError) { return res, failure }
}

func TestCursor(t *testing.T) {
	const n = 20_000
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
			t.Errorf("%s: %v", name, err)
		}
		rows, err := q.Query("SELECT many")
		if err != nil {
			t.Fatal(err)
		}
		rows.Next()
		if err := rows.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
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
	s := newScanner(strings.NewReader(body), 1<<20)
	defer s.free()
	c := &cursor{s: s, steps: make([]outcome, 1)}
	if err := c.start(); err != nil {
		return 0, err
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
		rows++
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
			t.Errorf("%s: %v", body, err)
		}
	}
	var e *Error
	for _, body := range []string{`{} {"type":"error","error":"text"}`, `{} {"type":"error","error":{"message":"text","code":"X"}}`} {
		if _, err := readCursor(body); !errors.As(err, &e) || e.Message != "text" {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := readCursor(`{"baton":null}`); !errors.Is(err, ErrNoTransaction) {
		t.Errorf("a step that was skipped: %v", err)
	}
}

// FuzzCursor looks for panics and endless loops.
func FuzzCursor(f *testing.F) {
	for _, body := range append(cursors, brokenCursors...) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		n, err := readCursor(body)
		if rows := strings.Count(body, "["); err == nil && n > rows {
			t.Fatalf("%d rows out of %d arrays", n, rows)
		}
	})
}
