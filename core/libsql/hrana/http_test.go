package hrana

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	parse := func(s string) *url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	rt := http.DefaultTransport
	for _, bad := range []Config{
		{Transport: rt},
		{URL: parse("http://h")},
		{URL: parse("libsql://h"), Transport: rt},
		{URL: parse("http:///path"), Transport: rt},
		{URL: parse("h:80"), Transport: rt},
		{URL: parse("http://secret@h"), Transport: rt},
		{URL: parse("http://h?authToken=secret"), Transport: rt},
		{URL: parse("http://h#secret"), Transport: rt},
		{URL: parse("http://h"), Transport: rt, TxMode: Autocommit},
	} {
		if _, err := NewConnector(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v", bad.URL, err)
		}
	}
	for base, want := range map[string]string{
		"http://h":            "/v3/pipeline",
		"https://h/":          "/v3/pipeline",
		"http://h:1/dbs/a b/": "/dbs/a%20b/v3/pipeline",
		"http://h/a%2Fb":      "/a%2Fb/v3/pipeline",
	} {
		c, err := NewConnector(Config{URL: parse(base), Transport: rt})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.base.pipeline3.RequestURI(); got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}

func TestHTTPErrors(t *testing.T) {
	tests := []struct {
		status      int
		body        string
		code, text  string
		wholeString string
	}{
		{401, `{"error":"Unauthorized: x"}`, "", "Unauthorized: x", "hrana: server answered 401: Unauthorized: x"},
		{400, `{"message":"m","code":"C"}`, "C", "m", "hrana: server answered 400: m (C)"},
		{403, `{"error":{"message":"m","code":"C"}}`, "C", "m", "hrana: server answered 403: m (C)"},
		{500, `{"error":[1]}`, "", "", "hrana: server answered 500"},
		{502, " upstream\nforward\x1b[31m failed ", "", "upstream forward[31m failed", "hrana: server answered 502: upstream forward[31m failed"},
		{503, "", "", "", "hrana: server answered 503"},
		{500, strings.Repeat("é", 1<<20), "", strings.Repeat("é", 512) + "…", "hrana: server answered 500: " + strings.Repeat("é", 512) + "…"},
		{302, "elsewhere", "", "redirects are not followed, the token must not go elsewhere", "hrana: server answered 302: redirects are not followed, the token must not go elsewhere"},
		{204, "", "", "", "hrana: server answered 204"},
	}
	for _, test := range tests {
		f := newFake(t)
		f.intercept = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			w.Header().Set("Location", "http://evil.example/")
			w.Header().Set("X-Secret", "header")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
			return true
		}
		_, err := f.open().Exec("A")
		var e *HTTPError
		if !errors.As(err, &e) {
			t.Errorf("%d: %v", test.status, err)
			continue
		}
		if e.Status != test.status || e.Code != test.code || e.Message != test.text || err.Error() != test.wholeString {
			t.Errorf("%d %.60s: %q", test.status, test.body, err)
		}
		if want := 7 * time.Second; e.RetryAfter != want && test.status != 302 {
			t.Errorf("retry after %v", e.RetryAfter)
		}
		if n := f.took(); n != 1 {
			t.Errorf("%d: %d requests", test.status, n)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 0, "x": 0, "-1": 0, "30": 30 * time.Second,
		"Mon, 02 Jan 2006 15:04:05 GMT": 0} {
		if got := retryAfter(value); got != want {
			t.Errorf("%q is %v", value, got)
		}
	}
	at := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
	if got := retryAfter(at); got < 50*time.Second || got > time.Minute {
		t.Errorf("%q is %v", at, got)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type sessionError struct{ hint string }

func (e *sessionError) Error() string { return "session: " + e.hint }

// TestTransportError: what the transport says stays in the chain, and the URL
// it may say it with stays out of the text.
func TestTransportError(t *testing.T) {
	cause := &sessionError{"sign in again"}
	for _, err := range []error{cause, &url.Error{Op: "Post", URL: "http://user:secret@h/?token=secret", Err: cause}} {
		f := newFake(t)
		db := f.open(func(c *Config) {
			c.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })
		})
		got := db.Ping()
		var e *sessionError
		if !errors.As(got, &e) || e != cause || got.Error() != "hrana: session: sign in again" {
			t.Errorf("err = %v", got)
		}
	}
	f := newFake(t)
	f.server.Close()
	if err := f.open().Ping(); err == nil || strings.Contains(err.Error(), "http://") {
		t.Errorf("err = %v", err)
	}
	ctx, cancel := context.WithTimeout(bg, time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	c, _ := f.connector().Connect(bg)
	if err := c.(*conn).Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

// TestTransportMayRepeat: a transport that refreshes a token sends the request
// again, from GetBody.
func TestTransportMayRepeat(t *testing.T) {
	f := newFake(t)
	db := f.open(func(c *Config) {
		next := c.Transport
		c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			first, _ := io.ReadAll(r.Body)
			r = r.Clone(r.Context())
			r.Body, _ = r.GetBody()
			second, _ := io.ReadAll(r.Body)
			if len(first) == 0 || !bytes.Equal(first, second) || r.ContentLength != int64(len(first)) {
				t.Errorf("%q, then %q", first, second)
			}
			r.Body, _ = r.GetBody()
			return next.RoundTrip(r)
		})
	})
	if err := db.Ping(); err != nil {
		t.Error(err)
	}
}

// TestBrokenExchanges puts answers that are cut or malformed through the whole
// driver: an error each time, never a wrong result, and a driver that goes on.
func TestBrokenExchanges(t *testing.T) {
	f := newFake(t)
	db := f.open()
	good := answerWith(`{"type":"integer","value":"1"}`)
	for _, body := range append(brokenAnswers, good[:len(good)/2], good[:len(good)-1]) {
		f.replies(200, "application/json", body)
		if got, err := numbers(db.Query("A")); !errors.Is(err, ErrProtocol) {
			t.Errorf("query, %s: %v, %v", body, got, err)
		}
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("A"); err == nil {
			t.Errorf("exec, %s", body)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
	f.intercept = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, good[:len(good)/2])
		return true
	}
	if _, err := numbers(db.Query("A")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that is cut: %v", err)
	}
	f.mu.Lock()
	f.intercept = nil
	f.mu.Unlock()
	if err := db.Ping(); err != nil {
		t.Error(err)
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	f := newFake(t)
	f.on("SELECT many", count(50))
	db := f.open()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				tx, err := db.Begin()
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := numbers(tx.Query("SELECT many")); err != nil || len(got) != 50 {
					t.Errorf("%d rows, %v", len(got), err)
				}
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
				ctx, cancel := context.WithTimeout(bg, 100*time.Microsecond)
				if _, err := numbers(db.QueryContext(ctx, "SELECT many")); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("err = %v", err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
}

func TestBatch(t *testing.T) {
	f := newFake(t)
	rowID := "5"
	f.on("INSERT", wireResult{Affected: 1, RowID: &rowID})
	f.on("SELECT many", count(3))
	f.fail("BAD", "SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.a")
	c := f.connector()
	defer c.Close()
	stmts := []Statement{
		{SQL: "INSERT"}, {SQL: "ECHO :a", Args: []any{sql.Named("a", "x")}},
		{SQL: "ECHO ?", Args: []any{true}}, {SQL: "SELECT many"},
	}
	for mode, want := range map[TxMode]string{
		Deferred:   "BEGIN,INSERT,ECHO :a,ECHO ?,SELECT many,COMMIT",
		Immediate:  "BEGIN IMMEDIATE,INSERT,ECHO :a,ECHO ?,SELECT many,COMMIT",
		Autocommit: "INSERT,ECHO :a,ECHO ?,SELECT many",
	} {
		res, err := c.Batch(bg, mode, stmts)
		if err != nil || len(res) != 4 {
			t.Fatalf("%d results, %v", len(res), err)
		}
		if res[0].RowsAffected != 1 || res[0].LastInsertID != 5 || res[1].Rows[0][0] != "x" ||
			res[2].Rows[0][0] != int64(1) || len(res[3].Rows) != 3 || res[3].Columns[0] != "n" {
			t.Errorf("results = %+v", res)
		}
		if got := strings.Join(f.statements(), ","); got != want {
			t.Errorf("ran %s, want %s", got, want)
		}
		if n := f.took(); n != 1 {
			t.Errorf("%d requests", n)
		}
	}
	bad := []Statement{{SQL: "INSERT"}, {SQL: "BAD"}, {SQL: "INSERT"}}
	for mode, want := range map[TxMode]string{Deferred: "BEGIN,INSERT,BAD,ROLLBACK", Autocommit: "INSERT,BAD"} {
		res, err := c.Batch(bg, mode, bad)
		var e *Error
		if !errors.As(err, &e) || e.Statement != 2 {
			t.Errorf("err = %v", err)
		}
		if kept := len(res); (mode == Autocommit) != (kept == 1) {
			t.Errorf("%d results", kept)
		}
		if got := strings.Join(f.statements(), ","); got != want {
			t.Errorf("ran %s, want %s", got, want)
		}
	}
	f.fail("COMMIT", "SQLITE_BUSY", "database is locked")
	if res, err := c.Batch(bg, Deferred, stmts); !errors.Is(err, &Error{Code: "SQLITE_BUSY"}) || res != nil {
		t.Errorf("failed commit: %v, %v", res, err)
	}
	f.took()
	for _, s := range []Statement{{SQL: "A; B"}, {SQL: ""}, {SQL: "ECHO ?"}, {SQL: "ECHO ?", Args: []any{struct{}{}}}} {
		if _, err := c.Batch(bg, Deferred, []Statement{s}); err == nil {
			t.Errorf("%v went through", s)
		}
	}
	if res, err := c.Batch(bg, Deferred, nil); res != nil || err != nil || f.took() != 0 {
		t.Errorf("an empty batch: %v, %v", res, err)
	}
}
