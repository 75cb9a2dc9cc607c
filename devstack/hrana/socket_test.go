package hrana

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/zen-auth/zen/devstack/engine"
)

// testSocket is a client's end.
type testSocket struct {
	*websocket.Conn
	t testing.TB
}

func (c *client) socket(subprotocols ...string) *testSocket {
	c.t.Helper()
	conn, _, err := websocket.Dial(c.t.Context(), c.url+"/one/", &websocket.DialOptions{Subprotocols: subprotocols, HTTPHeader: http.Header{"Rights": {c.rights}}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.CloseNow() })
	return &testSocket{conn, c.t}
}

func (s *testSocket) send(messages ...string) {
	s.t.Helper()
	for _, m := range messages {
		if err := s.Write(s.t.Context(), websocket.MessageText, []byte(m)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// read returns the next message, or how the socket ended.
func (s *testSocket) read() string {
	_, b, err := s.Read(s.t.Context())
	if c := (websocket.CloseError{}); errors.As(err, &c) {
		return fmt.Sprintf("closed %d %s", c.Code, c.Reason)
	}
	if err != nil {
		return "cut"
	}
	return string(b)
}

// sees sends the messages, and compares the start of the responses.
func (s *testSocket) sees(messages []string, want ...string) {
	s.t.Helper()
	s.send(messages...)
	for _, w := range want {
		if got := s.read(); !strings.HasPrefix(got, w) {
			s.t.Fatalf("after %v:\ngot  %s\nwant %s", messages, got, w)
		}
	}
}

func request(id int, body string) string {
	return fmt.Sprintf(`{"type":"request","request_id":%d,"request":{%s}}`, id, body)
}

const (
	hello   = `{"type":"hello","jwt":"x"}`
	helloOK = `{"type":"hello_ok"}`
	open1   = `"type":"open_stream","stream_id":1`
)

func ok(id int, body string) string {
	return fmt.Sprintf(`{"type":"response_ok","request_id":%d,"response":{%s`, id, body)
}

func TestSocketAnswersAllRequests(t *testing.T) {
	s := newClient(t, Options{}).socket("hrana3", "hrana2")
	if got := s.Subprotocol(); got != "hrana3" {
		t.Fatalf("subprotocol %q", got)
	}
	s.sees([]string{hello, request(1, open1)}, helloOK, ok(1, `"type":"open_stream"}}`))
	for i, step := range []struct{ request, want string }{
		{`"type":"sequence","stream_id":1,"sql":"CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)"`, `"type":"sequence"}}`},
		{`"type":"execute","stream_id":1,"stmt":{"sql":"SELECT max(a) FROM t"}`, `"type":"execute","result":{"cols":[{"name":"max(a)","decltype":null}],"rows":[[{"type":"integer","value":"3"}]]`},
		{`"type":"store_sql","sql_id":7,"sql":"SELECT ? + 1"`, `"type":"store_sql"}}`},
		{`"type":"execute","stream_id":1,"stmt":{"sql_id":7,"args":[{"type":"integer","value":"41"}]}`, `"type":"execute","result":{"cols":[{"name":"? + 1","decltype":null}],"rows":[[{"type":"integer","value":"42"}]]`},
		{`"type":"describe","stream_id":1,"sql_id":7`, `"type":"describe","result":{"params":[{"name":null}]`},
		{`"type":"batch","stream_id":1,"batch":{"steps":[{"stmt":{"sql_id":7}},{"stmt":{"sql":"SELECT 2"},"condition":{"type":"error","step":0}}]}`, `"type":"batch","result":{"step_results":[null,{"cols":`},
		{`"type":"get_autocommit","stream_id":1`, `"type":"get_autocommit","is_autocommit":true}}`},
		{`"type":"open_cursor","stream_id":1,"cursor_id":4,"batch":{"steps":[{"stmt":{"sql":"SELECT a FROM t"}}]}`, `"type":"open_cursor"}}`},
		{`"type":"fetch_cursor","cursor_id":4,"max_count":2`, `"type":"fetch_cursor","entries":[{"type":"step_begin","step":0,"cols":[{"name":"a","decltype":null}]},{"type":"row","row":[{"type":"integer","value":"1"}]}],"done":false}}`},
		{`"type":"fetch_cursor","cursor_id":4,"max_count":9`, `"type":"fetch_cursor","entries":[{"type":"row","row":[{"type":"integer","value":"2"}]},{"type":"row","row":[{"type":"integer","value":"3"}]},{"type":"step_end","affected_row_count":0,"last_insert_rowid":null},{"type":"replication_index"`},
		{`"type":"close_cursor","cursor_id":4`, `"type":"close_cursor"}}`},
		{`"type":"open_cursor","stream_id":1,"cursor_id":4,"batch":{"steps":[{"stmt":{"sql":"SELECT a FROM t"}}]}`, `"type":"open_cursor"}}`},
		{`"type":"close_sql","sql_id":7`, `"type":"close_sql"}}`},
		{`"type":"close_stream","stream_id":1`, `"type":"close_stream"}}`},
	} {
		s.sees([]string{request(i, step.request)}, ok(i, step.want))
	}
	s.sees([]string{request(1, open1), request(2, `"type":"execute","stream_id":1,"stmt":{"sql":"SELECT 1 FROM nowhere"}`)},
		ok(1, ""), `{"type":"response_error","request_id":2,"error":{"message":"SQLite error: no such table: nowhere","code":"SQLITE_UNKNOWN"}}`)
	s.sees([]string{hello}, helloOK) // again
}

// Streams run in parallel: one that waits for another's transaction doesn't prevent its
// commit.
func TestSocketStreamsAreIndependent(t *testing.T) {
	s := newClient(t, Options{StreamTTL: 1e12}).socket("hrana2")
	s.sees([]string{hello, request(1, open1), request(2, `"type":"open_stream","stream_id":2`)}, helloOK, "{", "{")
	s.sees([]string{request(3, `"type":"sequence","stream_id":1,"sql":"CREATE TABLE t (a); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"`)}, ok(3, ""))
	s.sees([]string{
		request(4, `"type":"execute","stream_id":2,"stmt":{"sql":"INSERT INTO t VALUES (2)"}`),
		request(5, `"type":"execute","stream_id":1,"stmt":{"sql":"COMMIT"}`),
	}, ok(5, ""), ok(4, ""))
}

func TestSocketEndsAsLibsqlServers(t *testing.T) {
	c := newClient(t, Options{})
	for name, test := range map[string]struct {
		subprotocol string
		messages    []string
		want        []string
	}{
		"a request before the hello": {"hrana2", []string{request(1, open1)}, []string{"closed 1008 Received a request before hello message"}},
		"no JSON":                    {"hrana2", []string{"{"}, []string{"closed 1007 Cannot deserialize client message from JSON: EOF while parsing an object at line 1 column 1"}},
		"no type":                    {"hrana2", []string{"{}"}, []string{"closed 1007 Cannot deserialize client message from JSON: missing field `type`"}},
		"no stream":                  {"hrana2", []string{hello, request(1, `"type":"execute","stream_id":3,"stmt":{"sql":"SELECT 1"}`)}, []string{helloOK, "cut"}},
		"a version too early":        {"hrana2", []string{hello, request(1, open1), request(2, `"type":"get_autocommit","stream_id":1`)}, []string{helloOK}},
		"hello twice in version 1":   {"hrana1", []string{hello, hello}, []string{helloOK, "closed 1008 Repeated hello message is only supported"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.socket(test.subprotocol)
			s.t = t
			s.sees(test.messages, test.want...)
		})
	}
	s := c.socket("hrana3")
	if err := s.Write(t.Context(), websocket.MessageBinary, []byte{0}); err != nil {
		t.Fatal(err)
	}
	if got := s.read(); !strings.HasPrefix(got, "closed 1003 Received a binary WebSocket message") {
		t.Error(got)
	}
	c.rights = "none"
	s = c.socket("hrana2")
	s.sees([]string{hello}, `{"type":"hello_error","error":{"message":"Authentication failed: no","code":"AUTH_FAILED"}}`, "closed 1000 Thank you for using sqld")
	_, resp, err := websocket.Dial(t.Context(), c.url+"/one/", &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err == nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("another subprotocol: %v", err)
	}
}

// A server that stops, or a database that is deleted, ends its sockets and their
// transactions.
func TestSocketEndsWithItsDatabase(t *testing.T) {
	b := testBackend{}
	db, err := engine.Open(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b["one"] = db
	server := New(b, Options{})
	c := newClientOf(t, server)
	s := c.socket("hrana3")
	s.sees([]string{hello, request(1, open1), request(2, `"type":"sequence","stream_id":1,"sql":"BEGIN; SELECT 1"`)}, helloOK, "{", "{")
	server.Forget("one")
	if err := db.Close(); err != nil { // waits for open transactions
		t.Error(err)
	}
	if got := s.read(); got != "cut" {
		t.Error(got)
	}
	server.Close()
}

func FuzzSocketMessage(f *testing.F) {
	for _, seed := range []string{hello, request(1, open1), request(2, `"type":"fetch_cursor","cursor_id":1,"max_count":1`), `["request",[1,["open_stream",1]]]`, `{"type":"request"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		var m clientMessage
		d := &decoder{b: message}
		if m.decode(d) == nil && d.end() == nil && !m.Hello && m.Request != nil && m.Request.Type == "" {
			t.Error("a request without a type")
		}
	})
}
