package hrana

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
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
		{URL: parse("http://h"), Transport: rt, TxMode: Immediate + 1},
	} {
		if _, err := NewConnector(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("NewConnector(%v): %v, want an error without secrets", bad.URL, err)
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
		{500, strings.Repeat("é", 1<<20), "", strings.Repeat("é", 510) + "…", "hrana: server answered 500: " + strings.Repeat("é", 510) + "…"},
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
			t.Errorf("status %d: %v, want an HTTPError", test.status, err)
			continue
		}
		if e.Status != test.status || e.Code != test.code || e.Message != test.text || err.Error() != test.wholeString {
			t.Errorf("status %d %.60s: wrong error %q", test.status, test.body, err)
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
			t.Errorf("retryAfter(%q) = %v, want %v", value, got, want)
		}
	}
	at := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got := retryAfter(at); got < 50*time.Minute || got > time.Hour {
		t.Errorf("retryAfter(%q) = %v, want almost an hour", at, got)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type sessionError struct{ hint string }

func (e *sessionError) Error() string { return "session: " + e.hint }

// TestTransportError checks that the transport's error stays in the chain, and that a URL in
// it stays out of the text.
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
			t.Errorf("Ping: %v, want the transport's error", got)
		}
	}
	f := newFake(t)
	f.server.Close()
	if err := f.open().Ping(); err == nil || strings.Contains(err.Error(), "http://") {
		t.Errorf("Ping of a closed server: %v, want an error without the URL", err)
	}
	ctx, cancel := context.WithTimeout(bg, time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	c, _ := f.connector().Connect(bg)
	if err := c.(*conn).Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Ping after the deadline: %v, want context.DeadlineExceeded", err)
	}
}

// TestTransportMayRepeat checks that a transport can send a request again by GetBody, as one
// does that refreshes a token.
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

// TestBrokenExchanges feeds truncated and malformed answers to the whole driver. Each must be
// an error, never a wrong result, and the driver must stay usable.
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
	if _, err := numbers(db.Query("A")); !errors.Is(err, io.ErrUnexpectedEOF) || !isNetwork(err) {
		t.Errorf("a truncated body: %v", err)
	}
	f.mu.Lock()
	f.intercept = nil
	f.mu.Unlock()
	if err := db.Ping(); err != nil {
		t.Error(err)
	}
}

// TestConcurrent looks for data races.
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
					t.Errorf("a query with a short deadline: %v, want context.DeadlineExceeded", err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
}

// isNetwork reports whether err is a network error with more of a message than EOF.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) && !strings.HasSuffix(err.Error(), "EOF")
}

// TestBrokenKeepAlive checks that when the server drops a kept-alive connection, a request
// that only reads is sent again, and one that may write is not.
func TestBrokenKeepAlive(t *testing.T) {
	for sql, repeated := range map[string]bool{"SELECT 1": true, "A": false} {
		f := newFake(t)
		db := f.open()
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
		var seen atomic.Int32
		f.intercept = func(http.ResponseWriter, *http.Request, []byte) bool {
			if seen.Add(1) == 1 {
				panic(http.ErrAbortHandler)
			}
			return false
		}
		if _, err := numbers(db.Query(sql)); repeated != (err == nil) || err != nil && !isNetwork(err) {
			t.Errorf("%s after a dropped connection: %v", sql, err)
		}
		if got := seen.Load() == 2; got != repeated {
			t.Errorf("%s was sent %d times", sql, seen.Load())
		}
	}
}
