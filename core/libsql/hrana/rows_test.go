package hrana

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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
			t.Error("a column reports whether it is nullable")
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

// hang makes the fake send prefix and then nothing until the client disconnects.
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
	<-gone // the server sees the cancellation, too
}

func TestTimeout(t *testing.T) {
	for name, prefix := range map[string]string{"before the answer": "", "in the answer": twoRows} {
		synctest.Test(t, func(t *testing.T) {
			connector, err := NewConnector(Config{
				URL: &url.URL{Scheme: "https", Host: "db.example.test"}, Timeout: time.Minute,
				Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					if prefix == "" {
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					body := io.MultiReader(strings.NewReader(prefix), silence{r.Context()})
					return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}, nil
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			db, began := sql.OpenDB(connector), time.Now()
			defer db.Close()
			rows, err := db.Query("SELECT 1")
			for err == nil && rows.Next() {
			}
			if err == nil {
				err = rows.Err()
			}
			if took := time.Since(began); !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) || took != time.Minute {
				t.Errorf("%s: %v after %s, want ErrTimeout after a minute", name, err, took)
			}
		})
	}
}

// silence is a body of which nothing comes.
type silence struct{ ctx context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// TestCloseEarly checks that a short remainder is read to keep the HTTP connection, and that
// a long one closes the connection.
func TestCloseEarly(t *testing.T) {
	f := newFake(t)
	f.on("SELECT short", count(100))
	f.on("SELECT long", count(40_000))
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

// TestOpenRowsInTransaction runs statements while rows of the same transaction are open, as
// database/sql allows. The stream's next baton comes after those rows.
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
	f.on("SELECT many", count(10_000))
	db := f.open(func(c *Config) { c.MaxMemory = 64 << 10 })
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := numbers(tx.Query("SELECT many")); err != nil || len(got) != 10_000 {
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

// TestBatonAfterResults uses the other order of keys that a server may send.
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

// TestInfiniteFloat checks that only the row with an infinite float fails.
func TestInfiniteFloat(t *testing.T) {
	f := newFake(t)
	float := func(s string) []wireValue { return []wireValue{{Type: "float", Value: json.RawMessage(s)}} }
	f.on("SELECT inf", wireResult{Cols: []wireCol{{Name: "f"}}, Rows: [][]wireValue{float("1.5"), float("null"), float("2.5")}})
	tx, err := f.open().Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, beside := range []string{"", "A"} { // streamed, and kept in memory
		rows, err := tx.Query("SELECT inf")
		if err != nil {
			t.Fatal(err)
		}
		if beside != "" {
			if _, err := tx.Exec(beside); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		for rows.Next() {
			n++
		}
		if n != 1 || rows.Err() == nil || !strings.Contains(rows.Err().Error(), `column "f" is an infinite float`) {
			t.Errorf("%d rows, then %v", n, rows.Err())
		}
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

// TestCloseWithOpenRows checks that a connection which is closed while rows are open closes
// its stream with the newest baton.
func TestCloseWithOpenRows(t *testing.T) {
	f := newFake(t)
	f.on("SELECT many", count(5000))
	c := f.connector()
	dc, err := c.Connect(bg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dc.(*conn).BeginTx(bg, driver.TxOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := dc.(*conn).QueryContext(bg, "SELECT many", nil); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(dc.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	if n := f.openStreams(); n != 0 {
		t.Errorf("%d streams left open", n)
	}
}
