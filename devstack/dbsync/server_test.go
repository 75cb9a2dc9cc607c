package dbsync

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/hrana"
)

// testBackend has one database. The header Rights says what a request may do.
type testBackend struct{ db *engine.DB }

func (b testBackend) Authorize(r *http.Request, _ string) (*engine.DB, *engine.Rights, error) {
	perms := func(tables []string, actions ...engine.Action) []engine.Permission {
		return []engine.Permission{{Tables: tables, Actions: actions}}
	}
	switch r.Header.Get("Rights") {
	case "none":
		return nil, nil, &hrana.StatusError{Status: 401, Body: errorBody{"no"}}
	case "read":
		return b.db, engine.NewRights(true, nil), nil
	case "one table":
		return b.db, engine.NewRights(false, perms([]string{"t"}, engine.DataRead)), nil
	case "read all tables":
		return b.db, engine.NewRights(false, perms(nil, engine.DataRead)), nil
	}
	return b.db, engine.FullAccess, nil
}

type discard struct{}

func (discard) Columns([]engine.Column) error { return nil }
func (discard) Row([]engine.Value) error      { return nil }

func newServer(t testing.TB) (*Server, *engine.DB) {
	t.Helper()
	db, err := engine.Open(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	run(t, db, "CREATE TABLE t (a)")
	return New(testBackend{db}, Options{}), db
}

func run(t testing.TB, db *engine.DB, sql string) {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Run(t.Context(), engine.Query{SQL: sql}, engine.FullAccess, discard{}); err != nil {
		t.Fatal(err)
	}
}

func do(s *Server, method, path, rights string, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, "http://x/", bytes.NewReader(body))
	r.Header.Set("Rights", rights)
	s.Serve(w, r, "one", path)
	return w
}

func TestStatuses(t *testing.T) {
	s, _ := newServer(t)
	next := fmt.Sprint(do(s, "GET", "/sync/1/1/999", "", nil).Body.Len()/engine.FrameSize + 1)
	for _, tt := range []struct {
		request, rights string
		status          int
		body            string // start of it
	}{
		{"GET /info", "", 200, `{"current_generation":1}`},
		{"GET /info", "read", 200, `{"current_generation":1}`},
		{"GET /info", "read all tables", 200, ""},
		{"GET /info", "none", 401, `{"error":"no"}`},
		{"GET /info", "one table", 401, `{"error":"Unauthorized:`},
		{"GET /export/1", "one table", 401, ""},
		{"GET /sync/1/1/9", "one table", 401, ""},
		{"GET /export/1", "", 200, "SQLite format 3\x00"},
		{"GET /export/2", "", 404, `{"error":"generation 2 not found"}`},
		{"GET /export/0", "", 404, ""},
		{"GET /export/x", "", 400, `{"error":"invalid number: \"x\""}`},
		{"GET /export/99999999999", "", 400, ""},
		{"GET /sync/1/1/129", "", 200, "\x00\x00\x00"},
		{"GET /sync/1/" + next + "/999", "", 400, `{"generation":1}`},
		{"GET /sync/1/99/100", "", 404, `{"error":"generation 1 has no frame 99"}`},
		{"GET /sync/2/1/129", "", 404, `{"error":"generation 2 has no frame 1"}`},
		{"GET /sync/0/1/129", "", 404, ""},
		{"GET /sync/1/0/129", "", 400, `{"error":"invalid range`},
		{"GET /sync/1/5/5", "", 400, `{"error":"invalid range`},
		{"GET /sync/1/4294967295/4294967295", "", 400, `{"error":"invalid range`},
		{"GET /sync/1/1", "", 404, ""},
		{"GET /sync/1/1/2/3/4", "", 404, ""},
		{"GET /sync/1/1/2/baton", "", 404, ""},
		{"PUT /info", "", 404, ""},
		{"POST /sync/1/1/2", "read", 403, `{"error":"BLOCKED: SQL write operations are forbidden`},
		{"POST /sync/1/1/2", "read all tables", 403, ""},
		{"POST /sync/1/1/2", "", 400, `{"error":"0 bytes are not 1 frames of 4120"}`},
		{"POST /sync/1/1/2/nonsense", "", 400, ""},
	} {
		method, path, _ := strings.Cut(tt.request, " ")
		w := do(s, method, path, tt.rights, nil)
		if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), tt.body) {
			t.Errorf("%s as %q: %d %.80q, want %d %q", tt.request, tt.rights, w.Code, w.Body, tt.status, tt.body)
		}
	}
	// Preflights are answered elsewhere; browsers may read the response.
	if w := do(s, "GET", "/info", "", nil); w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Error("no CORS header")
	}
}

// A transaction that takes two requests is committed with the second one.
func TestPushInParts(t *testing.T) {
	source, from := newServer(t)
	target, db := newServer(t)
	have := do(target, "GET", "/sync/1/1/999", "", nil).Body.Len() / engine.FrameSize
	run(t, from, "INSERT INTO t VALUES (zeroblob(40000))")
	frames := do(source, "GET", fmt.Sprintf("/sync/1/%d/999", have+1), "", nil).Body.Bytes()
	n := len(frames) / engine.FrameSize
	push := func(baton string, from, to int) (status int, r pushResult) {
		w := do(target, "POST", fmt.Sprintf("/sync/1/%d/%d%s", have+1+from, have+1+to, baton), "", frames[from*engine.FrameSize:to*engine.FrameSize])
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
			t.Fatalf("answer %d %s", w.Code, w.Body)
		}
		return w.Code, r
	}
	_, first := push("", 0, 4)
	if first.Status != "ok" || int(first.Last) != have+4 || first.Baton == nil {
		t.Fatalf("push = %+v", first)
	}
	if got := do(target, "GET", "/sync/1/1/999", "", nil).Body.Len() / engine.FrameSize; got != have {
		t.Errorf("half of a transaction is visible: %d frames, want %d", got, have)
	}
	if status, _ := push("/"+*first.Baton, 5, n); status != 400 {
		t.Errorf("with a gap: %d", status)
	}
	_, first = push("", 0, 4)
	_, second := push("/"+*first.Baton, 4, n)
	if second.Status != "ok" || int(second.Last) != have+n || second.Baton != nil {
		t.Fatalf("push = %+v", second)
	}
	if status, _ := push("/"+*first.Baton, 4, n); status != 400 {
		t.Errorf("a baton was accepted twice: %d", status)
	}
	if _, again := push("", 0, n); again.Status != "conflict" || int(again.Last) != have+n {
		t.Errorf("pushed again: %+v", again)
	}
	frames, _, err := db.Frames(1, 1, 999)
	if err != nil || len(frames)/engine.FrameSize != have+n {
		t.Errorf("%d frames, want %d: %v", len(frames)/engine.FrameSize, have+n, err)
	}
	if db.Stats().BytesSynced == 0 {
		t.Error("nothing was counted")
	}
}

// FuzzServe checks that every request gets one of the documented statuses.
func FuzzServe(f *testing.F) {
	commit := make([]byte, engine.FrameSize)
	binary.BigEndian.PutUint32(commit, 2)
	binary.BigEndian.PutUint32(commit[4:], 2)
	for _, path := range []string{
		"/info", "/export/1", "/export/-1", "/sync/1/1/129", "/sync/1/1", "/sync/1/4294967295/4294967295", "/sync//1/2", "/sync/1/3/4/x",
	} {
		f.Add("GET", path, []byte(nil))
		f.Add("POST", path, commit)
	}
	s, _ := newServer(f)
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		if method != "GET" && method != "POST" || !Match(path) {
			t.Skip()
		}
		w := do(s, method, path, "read", body)
		switch w.Code {
		case 200, 400, 403, 404, 413:
		default:
			t.Errorf("%s %q: status %d", method, path, w.Code)
		}
		if w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
			t.Errorf("not JSON: %q", w.Body)
		}
		if _, err := parsePosition(strings.TrimPrefix(path, "/sync/")); err != nil && !errors.As(err, new(*hrana.StatusError)) {
			t.Errorf("no answer for %v", err)
		}
	})
}
