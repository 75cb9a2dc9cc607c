package hrana

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fake is a Hrana server that checks requests strictly against the protocol. It implements
// transactions and conditions; the results of statements are scripted.
type fake struct {
	t      *testing.T
	server *httptest.Server

	// version is the newest protocol served, 3 or 2.
	version int
	// answer scripts statements by their text.
	answer map[string]func(s *fakeStream, stmt wireStmt) (wireResult, *wireError)
	// intercept may answer instead; it returns whether it did.
	intercept func(w http.ResponseWriter, r *http.Request, body []byte) bool
	baseURL   string

	conns atomic.Int32 // TCP connections

	mu      sync.Mutex
	streams map[string]*fakeStream
	next    int
	paths   []string // of all requests
	bodies  []string
	ran     []string // statements that ran
}

type fakeStream struct{ inTx bool }

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, version: 3, streams: map[string]*fakeStream{},
		answer: map[string]func(*fakeStream, wireStmt) (wireResult, *wireError){}}
	f.server = httptest.NewUnstartedServer(f)
	f.server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			f.conns.Add(1)
		}
	}
	f.server.Start()
	t.Cleanup(f.server.Close)
	return f
}

func (f *fake) connector(change ...func(*Config)) *Connector {
	f.t.Helper()
	u, err := url.Parse(f.server.URL + "/dbs/test/")
	if err != nil {
		f.t.Fatal(err)
	}
	config := Config{URL: u, Transport: f.server.Client().Transport}
	for _, c := range change {
		c(&config)
	}
	c, err := NewConnector(config)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fake) open(change ...func(*Config)) *sql.DB {
	f.t.Helper()
	db := sql.OpenDB(f.connector(change...))
	f.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			f.t.Error(err)
		}
	})
	return db
}

// on scripts a statement's result.
func (f *fake) on(sql string, res wireResult) {
	f.answer[sql] = func(*fakeStream, wireStmt) (wireResult, *wireError) { return res, nil }
}

// fail scripts a statement's failure.
func (f *fake) fail(sql, code, message string) {
	f.answer[sql] = func(*fakeStream, wireStmt) (wireResult, *wireError) {
		return wireResult{}, &wireError{message, code}
	}
}

// took returns the number of requests since the last call.
func (f *fake) took() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.paths)
	f.paths = nil
	return n
}

// statements returns the statements that ran since the last call.
func (f *fake) statements() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	ran := f.ran
	f.ran = nil
	return ran
}

func (f *fake) openStreams() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.streams)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	f.paths = append(f.paths, r.URL.Path)
	f.bodies = append(f.bodies, string(body))
	intercept := f.intercept
	f.mu.Unlock()
	if intercept != nil && intercept(w, r, body) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	endpoint, ok := strings.CutPrefix(r.URL.Path, "/dbs/test/")
	if !ok || f.version == 2 && endpoint != "v2/pipeline" {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		f.t.Errorf("%s %s with Content-Type %q", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var req wireBody
	if err := d.Decode(&req); err != nil {
		f.t.Errorf("body %s: %v", body, err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s := &fakeStream{}
	if req.Baton != nil {
		if s = f.streams[*req.Baton]; s == nil {
			http.Error(w, "Received an invalid baton", http.StatusBadRequest)
			return
		}
		delete(f.streams, *req.Baton)
	}
	if strings.HasSuffix(endpoint, "/cursor") {
		f.serveCursor(w, s, req)
		return
	}
	f.servePipeline(w, s, req)
}

func (f *fake) servePipeline(w http.ResponseWriter, s *fakeStream, req wireBody) {
	results := []any{}
	for _, r := range req.Requests {
		if s == nil {
			f.t.Errorf("request %s after close", r.Type)
			return
		}
		response := map[string]any{"type": r.Type}
		var failure *wireError
		switch r.Type {
		case "execute":
			response["result"], failure = f.run(s, *r.Stmt)
		case "batch":
			response["result"], failure = f.batch(s, *r.Batch)
		case "describe":
			if answer := f.answer[r.SQL]; answer != nil {
				_, failure = answer(s, wireStmt{})
			}
			response["result"] = map[string]any{"params": []any{}, "cols": []any{}, "is_explain": false, "is_readonly": true}
		case "get_autocommit":
			if f.version < 3 {
				f.t.Error("get_autocommit in Hrana 2")
			}
			response["is_autocommit"] = !s.inTx
		case "close":
			s = nil
		default:
			f.t.Errorf("request of type %q", r.Type)
		}
		if failure != nil {
			results = append(results, map[string]any{"type": "error", "error": failure})
			continue
		}
		results = append(results, map[string]any{"type": "ok", "response": response})
	}
	answer := struct {
		Baton   *string `json:"baton"`
		BaseURL *string `json:"base_url"`
		Results []any   `json:"results"`
	}{Baton: f.keep(s), Results: results}
	if f.baseURL != "" {
		answer.BaseURL = &f.baseURL
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// keep stores an open stream under a new baton.
func (f *fake) keep(s *fakeStream) *string {
	if s == nil {
		return nil
	}
	f.next++
	baton := "baton/" + strconv.Itoa(f.next)
	f.streams[baton] = s
	return &baton
}

func (f *fake) run(s *fakeStream, stmt wireStmt) (wireResult, *wireError) {
	if stmt.WantRows == nil {
		f.t.Errorf("want_rows is missing: %+v", stmt)
	}
	f.ran = append(f.ran, stmt.SQL)
	if answer := f.answer[stmt.SQL]; answer != nil {
		res, failure := answer(s, stmt)
		return arrays(res), failure
	}
	switch word, rest, _ := strings.Cut(stmt.SQL, " "); word {
	case "BEGIN", "SAVEPOINT":
		s.inTx = true
	case "COMMIT", "END", "ROLLBACK", "RELEASE":
		if strings.HasPrefix(rest, "TO") {
			break
		}
		if !s.inTx {
			return wireResult{}, &wireError{"SQLite error: no transaction is active", "SQLITE_ERROR"}
		}
		s.inTx = false
	case "ECHO": // a row of the arguments
		res := wireResult{Rows: [][]wireValue{{}}}
		for _, a := range stmt.Args {
			res.Cols = append(res.Cols, wireCol{Name: "c"})
			res.Rows[0] = append(res.Rows[0], a)
		}
		for _, a := range stmt.NamedArgs {
			res.Cols = append(res.Cols, wireCol{Name: a.Name})
			res.Rows[0] = append(res.Rows[0], a.Value)
		}
		return arrays(res), nil
	case "SELECT":
		return wireResult{Cols: []wireCol{{Name: "1"}}, Rows: [][]wireValue{{integer(1)}}}, nil
	}
	return arrays(wireResult{}), nil
}

// arrays makes nil slices empty: the protocol has no null there.
func arrays(res wireResult) wireResult {
	if res.Cols == nil {
		res.Cols = []wireCol{}
	}
	if res.Rows == nil {
		res.Rows = [][]wireValue{}
	}
	return res
}

func (f *fake) batch(s *fakeStream, b wireBatch) (map[string]any, *wireError) {
	results, errs, oks := []any{}, []any{}, []bool{}
	for i, step := range b.Steps {
		if step.Condition != nil && !f.holds(*step.Condition, s, oks, i) {
			results, errs, oks = append(results, nil), append(errs, nil), append(oks, false)
			continue
		}
		res, failure := f.run(s, step.Stmt)
		if failure != nil {
			if failure.Code == "RESPONSE_TOO_LARGE" {
				return nil, failure // like sqld, for the whole batch
			}
			results, errs, oks = append(results, nil), append(errs, failure), append(oks, false)
			continue
		}
		results, errs, oks = append(results, res), append(errs, nil), append(oks, true)
	}
	return map[string]any{"step_results": results, "step_errors": errs}, nil
}

func (f *fake) holds(c wireCond, s *fakeStream, oks []bool, at int) bool {
	switch c.Type {
	case "ok":
		if *c.Step >= at {
			f.t.Errorf("step %d has a condition on step %d", at, *c.Step)
			return false
		}
		return oks[*c.Step]
	case "not":
		return !f.holds(*c.Cond, s, oks, at)
	case "and":
		for _, c := range c.Conds {
			if !f.holds(c, s, oks, at) {
				return false
			}
		}
		return true
	case "is_autocommit":
		if f.version < 3 {
			f.t.Error("is_autocommit in Hrana 2")
		}
		return !s.inTx
	}
	f.t.Errorf("condition of type %q", c.Type)
	return false
}

func (f *fake) serveCursor(w http.ResponseWriter, s *fakeStream, req wireBody) {
	e := json.NewEncoder(w)
	_ = e.Encode(map[string]any{"baton": f.keep(s), "base_url": nil})
	oks := []bool{}
	for i, step := range req.Batch.Steps {
		oks = append(oks, false)
		if step.Condition != nil && !f.holds(*step.Condition, s, oks, i) {
			continue
		}
		stmt := step.Stmt
		stmt.SQL += " --cursor"
		res, failure := f.run(s, stmt)
		if failure != nil && len(res.Cols) == 0 {
			_ = e.Encode(map[string]any{"type": "step_error", "step": i, "error": failure})
			continue
		}
		_ = e.Encode(map[string]any{"type": "step_begin", "step": i, "cols": res.Cols})
		for _, row := range res.Rows {
			_ = e.Encode(map[string]any{"type": "row", "row": row})
		}
		if failure != nil {
			_ = e.Encode(map[string]any{"type": "step_error", "step": i, "error": failure})
			continue
		}
		oks[i] = true
		_ = e.Encode(map[string]any{"type": "step_end", "affected_row_count": 0, "last_insert_rowid": 7})
	}
	_ = e.Encode(map[string]any{"type": "replication_index", "replication_index": nil})
}

// replies makes the fake answer every request with this status and body.
func (f *fake) replies(status int, contentType, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.intercept = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	}
}

// numbers reads one integer column to the end.
func numbers(rows *sql.Rows, err error) ([]int64, error) {
	if err != nil {
		return nil, err
	}
	var all []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return all, err
		}
		all = append(all, n)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

var bg = context.Background()
