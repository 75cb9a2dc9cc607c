package hrana

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/devstack/engine"
)

// testBackend has the databases "one" and "two". The header Rights says what a
// request may do.
type testBackend map[string]*engine.DB

func (b testBackend) Authorize(r *http.Request, name string) (*engine.DB, *engine.Rights, error) {
	db := b[name]
	if db == nil {
		return nil, nil, &StatusError{Status: 404, Body: errorBody{"no such database"}, Origin: "*"}
	}
	switch r.Header.Get("Rights") {
	case "none":
		return nil, nil, &StatusError{Status: 401, Body: errorBody{"no"}}
	case "read":
		return db, engine.NewRights(true, nil), nil
	case "one table":
		return db, engine.NewRights(true, []engine.Permission{{Tables: []string{"t"}, Actions: []engine.Action{engine.DataRead}}}), nil
	}
	return db, engine.FullAccess, nil
}

type client struct {
	t      testing.TB
	http   *http.Client
	url    string
	rights string
}

func newClient(t testing.TB, o Options) *client {
	t.Helper()
	return newClientOf(t, newServer(t, o))
}

func newServer(t testing.TB, o Options) *Server {
	t.Helper()
	b := testBackend{}
	timeout := 50 * time.Millisecond
	if o.StreamTTL > 0 {
		timeout = time.Minute // so that streams end by that alone
	}
	for _, name := range []string{"one", "two"} {
		db, err := engine.Open(engine.Options{TxTimeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		b[name] = db
	}
	s := New(b, o)
	t.Cleanup(s.Close)
	return s
}

// handler serves the database of the path's first segment.
func handler(s *Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		s.Serve(w, r, name, "/"+path)
	})
}

func newClientOf(t testing.TB, s *Server) *client {
	hs := httptest.NewServer(handler(s))
	t.Cleanup(hs.Close)
	return &client{t: t, http: http.DefaultClient, url: hs.URL}
}

// inMemory returns a client without a network, for tests with fake time.
func inMemory(t testing.TB, s *Server) *client {
	return &client{t: t, http: &http.Client{Transport: direct{handler(s)}}, url: "http://db.example.test"}
}

// direct is a transport that calls a handler. The handler waits for what it wrote to be read.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	body, w := io.Pipe()
	a := &answer{header: http.Header{}, body: w, status: make(chan int, 1)}
	go func() {
		defer w.Close()
		defer a.WriteHeader(http.StatusOK)
		d.ServeHTTP(a, r)
	}()
	status := <-a.status
	return &http.Response{StatusCode: status, Header: a.header, Body: body, Request: r}, nil
}

// answer is the writer of a response that is read from a pipe.
type answer struct {
	header http.Header
	body   io.Writer
	begin  sync.Once
	status chan int // takes one
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.begin.Do(func() { a.status <- status }) }

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *answer) Flush() {}

// start sends a request, and returns when the response starts.
func (c *client) start(path, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), "POST", c.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	return c.http.Do(req)
}

func (c *client) do(method, path, body string) (*http.Response, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Rights", c.rights)
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp, string(b)
}

type pipelineResponse struct {
	Baton   *string           `json:"baton"`
	BaseURL *string           `json:"base_url"`
	Results []json.RawMessage `json:"results"`
}

// pipeline sends requests and fails unless the answer is 200.
func (c *client) pipeline(path, baton string, requests ...string) pipelineResponse {
	c.t.Helper()
	b := "null"
	if baton != "" {
		b = `"` + baton + `"`
	}
	resp, body := c.do("POST", path, `{"baton":`+b+`,"requests":[`+strings.Join(requests, ",")+`]}`)
	var out pipelineResponse
	if resp.StatusCode != 200 || json.Unmarshal([]byte(body), &out) != nil {
		c.t.Fatalf("pipeline %v: %s %s", requests, resp.Status, body)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		c.t.Errorf("content type %q: @libsql/client reads nothing but application/json", got)
	}
	if len(out.Results) != len(requests) {
		c.t.Fatalf("%d results for %d requests", len(out.Results), len(requests))
	}
	return out
}

// same compares JSON documents. Members of want that are "*" match anything.
func same(t testing.TB, what string, got json.RawMessage, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s: %v: %s", what, err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: want: %v", what, err)
	}
	anything := cmp.FilterValues(func(a, b any) bool { return a == "*" || b == "*" }, cmp.Ignore())
	if d := cmp.Diff(w, g, anything); d != "" {
		t.Errorf("%s: -want +got\n%s", what, d)
	}
}

func exec(sql string) string {
	b, _ := json.Marshal(sql)
	return `{"type":"execute","stmt":{"sql":` + string(b) + `}}`
}

const closeStream = `{"type":"close"}`

func inBand(message, code string) string {
	b, _ := json.Marshal(map[string]any{"type": "error", "error": map[string]string{"message": message, "code": code}})
	return string(b)
}

func TestRequests(t *testing.T) {
	const nothing = `"cols":[],"rows":[],"affected_row_count":0,"last_insert_rowid":null,"replication_index":"*"`
	result := func(body string) string {
		return `{"type":"ok","response":{"type":"execute","result":{` + body + `,"rows_read":"*","rows_written":"*","query_duration_ms":"*"}}}`
	}
	tests := []struct{ name, request, want string }{
		{"create", exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR(9), c)"), result(nothing)},
		{"insert", `{"type":"execute","stmt":{"sql":"INSERT INTO t (b, c) VALUES (?, ?)","args":[{"type":"text","value":"2024-01-02"},{"type":"blob","base64":"AP8="}]}}`,
			result(`"cols":[],"rows":[],"affected_row_count":1,"last_insert_rowid":"1","replication_index":"*"`)},
		{"select", exec("SELECT *, 1.0 AS f, 9223372036854775807 AS i, NULL, 1e999, b FROM t"), result(`"cols":[
			{"name":"a","decltype":"INTEGER"},{"name":"b","decltype":"VARCHAR(9)"},{"name":"c","decltype":null},
			{"name":"f","decltype":null},{"name":"i","decltype":null},{"name":"NULL","decltype":null},{"name":"1e999","decltype":null},
			{"name":"b","decltype":"VARCHAR(9)"}],
			"rows":[[{"type":"integer","value":"1"},{"type":"text","value":"2024-01-02"},{"type":"blob","base64":"AP8"},
			{"type":"float","value":1.0},{"type":"integer","value":"9223372036854775807"},{"type":"null"},{"type":"float","value":null},
			{"type":"text","value":"2024-01-02"}]],
			"affected_row_count":0,"last_insert_rowid":null,"replication_index":"*"`)},
		{"named arguments", `{"type":"execute","stmt":{"sql":"SELECT $x AS v","named_args":[{"name":"x","value":{"type":"float","value":2}}]}}`,
			result(`"cols":[{"name":"v","decltype":null}],"rows":[[{"type":"float","value":2}]],"affected_row_count":0,"last_insert_rowid":null,"replication_index":"*"`)},
		{"both kinds of arguments", `{"type":"execute","stmt":{"sql":"SELECT 1","args":[{"type":"null"}],"named_args":[{"name":"x","value":{"type":"null"}}]}}`,
			inBand("Specifying both positional and named arguments is not supported", "ARGS_BOTH_POSITIONAL_AND_NAMED")},
		{"argument missing", exec("SELECT ?"), inBand("Arguments do not match SQL parameters: value for parameter 1 not found", "ARGS_INVALID")},
		{"argument too many", `{"type":"execute","stmt":{"sql":"SELECT 1","args":[{"type":"null"}]}}`,
			inBand("Arguments do not match SQL parameters: too many parameters, expected 0 found 1", "ARGS_INVALID")},
		{"no such table", exec("SELECT * FROM nope"), inBand("SQLite error: no such table: nope", "SQLITE_UNKNOWN")},
		{"no such column", exec("SELECT foo"), inBand("SQL input error: no such column: foo (at offset 7)", "SQL_INPUT_ERROR")},
		{"syntax", exec("SELECT 1\n  FRM x"), inBand("SQL string could not be parsed: syntax error around L2:8: `x`", "SQL_PARSE_ERROR")},
		{"no statement", exec(" -- "), inBand("SQL string does not contain any statement", "SQL_NO_STATEMENT")},
		{"two statements", exec("SELECT 1; SELECT 2"), inBand("SQL string contains more than one statement", "SQL_MANY_STATEMENTS")},
		{"unsupported", exec("VACUUM"), inBand("SQL string could not be parsed: unsupported statement: VACUUM", "SQL_PARSE_ERROR")},
		{"constraint", exec("INSERT INTO t (a) VALUES (1)"), inBand("SQLite error: UNIQUE constraint failed: t.a", "SQLITE_CONSTRAINT")},
		{"describe", `{"type":"describe","sql":"INSERT INTO t (b) VALUES (:b) RETURNING a","sql_id":null,"replication_index":null}`,
			`{"type":"ok","response":{"type":"describe","result":{"params":[{"name":":b"}],"cols":[{"name":"a","decltype":"INTEGER"}],"is_explain":false,"is_readonly":false}}}`},
		{"describe nonsense", `{"type":"describe","sql":"SELEC"}`, inBand(`SQL input error: near "SELEC": syntax error (at offset 0)`, "SQL_INPUT_ERROR")},
		{"sequence", `{"type":"sequence","sql":"INSERT INTO t (a) VALUES (5); DELETE FROM t WHERE a = 5;"}`, `{"type":"ok","response":{"type":"sequence"}}`},
		{"sequence fails", `{"type":"sequence","sql":"INSERT INTO nope VALUES (5)"}`, inBand("SQLite error: no such table: nope", "SQLITE_UNKNOWN")},
		{"autocommit", `{"type":"get_autocommit"}`, `{"type":"ok","response":{"type":"get_autocommit","is_autocommit":true}}`},
		{"begin", exec("BEGIN"), result(nothing)},
		{"in transaction", `{"type":"get_autocommit"}`, `{"type":"ok","response":{"type":"get_autocommit","is_autocommit":false}}`},
		{"rollback", exec("ROLLBACK"), result(nothing)},
		{"store", `{"type":"store_sql","sql_id":7,"sql":"SELECT 7 AS s"}`, `{"type":"ok","response":{"type":"store_sql"}}`},
		{"use", `{"type":"execute","stmt":{"sql_id":7}}`,
			result(`"cols":[{"name":"s","decltype":null}],"rows":[[{"type":"integer","value":"7"}]],"affected_row_count":0,"last_insert_rowid":null,"replication_index":"*"`)},
		{"store too much", `{"type":"store_sql","sql_id":8,"sql":"` + strings.Repeat(" ", 5001) + `"}`, inBand("The statement is too large to be stored: 5001 B/5.0 KB", "SQL_STORE_TOO_LARGE")},
		{"forget", `{"type":"close_sql","sql_id":7}`, `{"type":"ok","response":{"type":"close_sql"}}`},
		{"close", closeStream, `{"type":"ok","response":{"type":"close"}}`},
	}
	c := newClient(t, Options{})
	baton := ""
	for _, tt := range tests {
		out := c.pipeline("/one/v3/pipeline", baton, tt.request)
		same(t, tt.name, out.Results[0], tt.want)
		if (out.Baton == nil) != (tt.request == closeStream) {
			t.Fatalf("%s: baton %v", tt.name, out.Baton)
		}
		if out.Baton != nil {
			if *out.Baton == baton {
				t.Errorf("%s: the baton did not change", tt.name)
			}
			baton = *out.Baton
		}
	}
}

func TestReadOnlyIsBlocked(t *testing.T) {
	c := newClient(t, Options{})
	c.rights = "read"
	out := c.pipeline("/one/v2/pipeline", "", exec("CREATE TABLE t (a)"), exec("PRAGMA foreign_keys=ON"), exec("SELECT 1"))
	const blocked = "Operation was blocked: SQL write operations are forbidden (current session doesn't have write permission)"
	same(t, "create", out.Results[0], inBand(blocked, "BLOCKED"))
	same(t, "pragma", out.Results[1], inBand(blocked, "BLOCKED"))
	same(t, "select", out.Results[2], `{"type":"ok","response":"*"}`)
}

// Errors that end the whole request, and the stream with it.
func TestProtocolErrors(t *testing.T) {
	c := newClient(t, Options{MaxBody: 4096})
	tests := []struct {
		name, path, body string
		status           int
		want             string // start of the body
	}{
		{"not JSON", "/one/v2/pipeline", "{", 400, "Cannot deserialize client message from JSON: "},
		{"unknown request", "/one/v2/pipeline", `{"requests":[{"type":"frobnicate"}]}`, 400, "Cannot deserialize"},
		{"no statement", "/one/v2/pipeline", `{"requests":[{"type":"execute"}]}`, 400, "Cannot deserialize"},
		{"integer as a number", "/one/v2/pipeline", `{"requests":[{"type":"execute","stmt":{"sql":"SELECT ?","args":[{"type":"integer","value":1}]}}]}`, 400, "Cannot deserialize"},
		{"integer of 65 bits", "/one/v2/pipeline", `{"requests":[{"type":"execute","stmt":{"sql":"SELECT ?","args":[{"type":"integer","value":"18446744073709551616"}]}}]}`, 400, "Cannot deserialize"},
		{"bad base64", "/one/v2/pipeline", `{"requests":[{"type":"execute","stmt":{"sql":"SELECT ?","args":[{"type":"blob","base64":"*"}]}}]}`, 400, "Cannot deserialize"},
		{"unknown value", "/one/v2/pipeline", `{"requests":[{"type":"execute","stmt":{"sql":"SELECT ?","args":[{"type":"date"}]}}]}`, 400, "Cannot deserialize"},
		{"rubbish baton", "/one/v2/pipeline", `{"baton":"rubbish","requests":[]}`, 400, "Received an invalid baton"},
		{"version 3 in 2", "/one/v2/pipeline", `{"requests":[{"type":"get_autocommit"}]}`, 400, "The `get_autocommit` request is only supported in protocol version hrana3"},
		{"condition of 3 in 2", "/one/v2/pipeline", `{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"},"condition":{"type":"is_autocommit"}}]}}]}`, 400, "BatchCond of type"},
		{"step of the future", "/one/v2/pipeline", `{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"},"condition":{"type":"ok","step":0}}]}}]}`, 400, "Invalid reference to step"},
		{"after close", "/one/v2/pipeline", `{"requests":[{"type":"close"},{"type":"execute","stmt":{"sql":"SELECT 1"}}]}`, 400, "Stream for this baton was closed"},
		{"sql twice", "/one/v2/pipeline", `{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1","sql_id":1}}]}`, 400, "Either `sql` or `sql_id`"},
		{"sql not stored", "/one/v2/pipeline", `{"requests":[{"type":"execute","stmt":{"sql_id":1}}]}`, 400, "SQL text 1 not found"},
		{"sql stored twice", "/one/v2/pipeline", `{"requests":[{"type":"store_sql","sql_id":1,"sql":""},{"type":"store_sql","sql_id":1,"sql":""}]}`, 400, "SQL text 1 already exists"},
		{"too large", "/one/v2/pipeline", `{"requests":[` + strings.Repeat(" ", 5000) + `]}`, 413, `{"error":"request body is too large"}`},
		{"deep condition", "/one/v3/pipeline", `{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"},"condition":` + strings.Repeat(`{"type":"not","cond":`, 130) + `{"type":"is_autocommit"}` + strings.Repeat("}", 130) + `}]}}]}`, 400, "Cannot deserialize"},
		{"no such database", "/nine/v2/pipeline", `{"requests":[]}`, 404, `{"error":"no such database"}`},
		{"cursor without a batch", "/one/v3/cursor", `{}`, 400, "Cannot deserialize"},
		{"no such path", "/one/v2/nothing", `{}`, 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := c.do("POST", tt.path, tt.body)
			if resp.StatusCode != tt.status || !strings.HasPrefix(body, tt.want) {
				t.Errorf("answer %d %q, want %d %q...", resp.StatusCode, body, tt.status, tt.want)
			}
			if tt.status != 404 && resp.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Error("a browser can't read the response")
			}
		})
	}
}

func TestBatons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, newServer(t, Options{StreamTTL: 10 * time.Second}))
		refused := func(what, path, baton, want string) {
			t.Helper()
			resp, body := c.do("POST", path, `{"baton":"`+baton+`","requests":[]}`)
			if resp.StatusCode != 400 || !strings.Contains(body, want) {
				t.Errorf("%s: answer %d %q, want 400 %q", what, resp.StatusCode, body, want)
			}
		}
		first := c.pipeline("/one/v3/pipeline", "", exec("SELECT 1"))
		refused("baton of another database", "/two/v3/pipeline", *first.Baton, "Received an invalid baton")
		second := c.pipeline("/one/v3/pipeline", *first.Baton, exec("SELECT 1"))
		refused("baton used twice", "/one/v3/pipeline", *first.Baton, "already been used")
		c.pipeline("/one/v3/pipeline", *second.Baton, closeStream)
		refused("closed stream", "/one/v3/pipeline", *second.Baton, "Received an invalid baton")

		idle := c.pipeline("/one/v3/pipeline", "", exec("CREATE TABLE t (a)"), exec("BEGIN IMMEDIATE"), exec("INSERT INTO t VALUES (1)"))
		// The transaction of the stream holds the lock until it expires.
		c.pipeline("/one/v3/pipeline", "", exec("INSERT INTO t VALUES (2)"), closeStream)
		refused("expired stream", "/one/v3/pipeline", *idle.Baton, `{"message":"The stream has expired due to inactivity","code":"STREAM_EXPIRED"}`)
		out := c.pipeline("/one/v3/pipeline", "", exec("SELECT a FROM t"), closeStream)
		if got := string(out.Results[0]); !strings.Contains(got, `"rows":[[{"type":"integer","value":"2"}]]`) {
			t.Errorf("the expired transaction was not rolled back: %s", got)
		}
	})
}

// The time of a stream can be over while a request of its client arrives, which it then
// serves.
func TestLateExpiry(t *testing.T) {
	s := newServer(t, Options{StreamTTL: time.Hour})
	c := newClientOf(t, s)
	first := c.pipeline("/one/v3/pipeline", "", exec("SELECT 1"))
	for _, st := range s.streams.waiting {
		seq := st.seq
		second := c.pipeline("/one/v3/pipeline", *first.Baton, exec("SELECT 1"))
		s.streams.expireStream(st, seq)
		c.pipeline("/one/v3/pipeline", *second.Baton, closeStream)
	}
}

func TestTransactionTimeout(t *testing.T) {
	c := newClient(t, Options{})
	slow := c.pipeline("/one/v3/pipeline", "", exec("CREATE TABLE t (a)"), exec("BEGIN IMMEDIATE"))
	c.pipeline("/one/v3/pipeline", "", exec("INSERT INTO t VALUES (1)"), closeStream)
	out := c.pipeline("/one/v3/pipeline", *slow.Baton, exec("COMMIT"), `{"type":"get_autocommit"}`)
	same(t, "commit", out.Results[0], inBand("Transaction timed out", "TRANSACTION_TIMEOUT"))
	same(t, "autocommit", out.Results[1], `{"type":"ok","response":{"type":"get_autocommit","is_autocommit":true}}`)
}

func TestResponseLimit(t *testing.T) {
	c := newClient(t, Options{MaxResponse: 1000})
	out := c.pipeline("/one/v3/pipeline", "", exec("SELECT hex(zeroblob(600))"), exec("SELECT 1"), closeStream)
	same(t, "large", out.Results[0], inBand("Response is too large", "RESPONSE_TOO_LARGE"))
}

func TestPlainRoutes(t *testing.T) {
	c := newClient(t, Options{})
	c.rights = "none"
	for path, want := range map[string]string{
		"/one/v2":      "Hello, this is HTTP API v2 (Hrana over HTTP)",
		"/one/v3":      "Hello, this is HTTP API v2 (Hrana over HTTP)",
		"/one/health":  "",
		"/one/version": "sqld ",
	} {
		if resp, body := c.do("GET", path, ""); resp.StatusCode != 200 || !strings.HasPrefix(body, want) {
			t.Errorf("GET %s: %d %q", path, resp.StatusCode, body)
		}
	}
	resp, body := c.do("POST", "/one/v2/pipeline", `{"requests":[]}`)
	if resp.StatusCode != 401 || body != `{"error":"no"}` || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("refused: %d %q %v", resp.StatusCode, body, resp.Header)
	}
	req, err := http.NewRequest("OPTIONS", c.url+"/one/v2/pipeline", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
	resp, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("Access-Control-Allow-Headers") != "authorization,content-type" {
		t.Errorf("preflight: %d %v", resp.StatusCode, resp.Header)
	}
}

func TestCursor(t *testing.T) {
	c := newClient(t, Options{})
	c.pipeline("/one/v3/pipeline", "", exec("CREATE TABLE t (a INTEGER PRIMARY KEY)"), closeStream)
	resp, body := c.do("POST", "/one/v3/cursor", `{"baton":null,"batch":{"steps":[
		{"stmt":{"sql":"INSERT INTO t VALUES (1), (2)"}},
		{"stmt":{"sql":"SELECT a FROM t"},"condition":{"type":"ok","step":0}},
		{"stmt":{"sql":"INSERT INTO t VALUES (1)"}},
		{"stmt":{"sql":"DELETE FROM t"},"condition":{"type":"ok","step":2}},
		{"stmt":{"sql":"BEGIN"}}]}}`)
	if resp.StatusCode != 200 {
		t.Fatalf("answer %s %s", resp.Status, body)
	}
	want := []string{
		`{"baton":"*","base_url":null}`,
		`{"type":"step_begin","step":0,"cols":[]}`,
		`{"type":"step_end","affected_row_count":2,"last_insert_rowid":2}`,
		`{"type":"step_begin","step":1,"cols":[{"name":"a","decltype":"INTEGER"}]}`,
		`{"type":"row","row":[{"type":"integer","value":"1"}]}`,
		`{"type":"row","row":[{"type":"integer","value":"2"}]}`,
		`{"type":"step_end","affected_row_count":0,"last_insert_rowid":null}`,
		`{"type":"step_begin","step":2,"cols":[]}`,
		`{"type":"step_error","step":2,"error":{"message":"SQLite error: UNIQUE constraint failed: t.a","code":"SQLITE_CONSTRAINT"}}`,
		`{"type":"step_begin","step":4,"cols":[]}`,
		`{"type":"step_end","affected_row_count":0,"last_insert_rowid":null}`,
		`{"type":"replication_index","replication_index":2}`,
	}
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), body)
	}
	for i := range want {
		same(t, lines[i], json.RawMessage(lines[i]), want[i])
	}
	// The stream continues in the transaction.
	var first pipelineResponse
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	out := c.pipeline("/one/v3/pipeline", *first.Baton, `{"type":"get_autocommit"}`, closeStream)
	same(t, "autocommit", out.Results[0], `{"type":"ok","response":{"type":"get_autocommit","is_autocommit":false}}`)
}

func TestCursorStreamsRows(t *testing.T) {
	c := newClient(t, Options{})
	const n = 20000
	resp, body := c.do("POST", "/one/v3/cursor", `{"batch":{"steps":[{"stmt":{"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 20000) SELECT i FROM n"}}]}}`)
	rows := 0
	for sc := bufio.NewScanner(strings.NewReader(body)); sc.Scan(); {
		if strings.HasPrefix(sc.Text(), `{"type":"row"`) {
			rows++
		}
	}
	if resp.StatusCode != 200 || rows != n || resp.ContentLength >= 0 {
		t.Errorf("status %d, %d rows, content length %d", resp.StatusCode, rows, resp.ContentLength)
	}
}
