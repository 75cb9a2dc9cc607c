package gateway_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/gateway"
)

// database responds as the test sets it, and keeps the last request.
type database struct {
	*httptest.Server
	last   *http.Request
	body   string
	answer http.HandlerFunc
}

func newDatabase(t testing.TB, answer http.HandlerFunc) *database {
	d := &database{answer: answer}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		d.last, d.body = r, string(body)
		d.answer(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

func respond(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

const noBase = `{"baton":null,"base_url":null,"results":[]}`

// tokens adds a token to requests, as the session's transport does.
type tokens struct{ http.RoundTripper }

func (t tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer session-token")
	return t.RoundTripper.RoundTrip(r)
}

// start starts a gateway to the database, whose path is /dbs/app.
func start(t testing.TB, d *database, change func(*gateway.Config)) *gateway.Server {
	t.Helper()
	address, err := url.Parse(d.URL + "/dbs/app")
	if err != nil {
		t.Fatal(err)
	}
	config := gateway.Config{Address: address, Transport: tokens{http.DefaultTransport}}
	if change != nil {
		change(&config)
	}
	s, err := gateway.Listen(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask sends a request with the gateway's bearer.
func ask(t testing.TB, s *gateway.Server, method, path, body string, change func(*http.Request)) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Bearer().Reveal())
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, "cut: " + err.Error(), nil
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, "cut: " + string(got), resp.Header
	}
	return resp.StatusCode, string(got), resp.Header
}

func TestOnlyProtocolHeadersArePassedOn(t *testing.T) {
	d := newDatabase(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "affinity=1")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Strict-Transport-Security", "max-age=1")
		respond(200, "application/json", noBase)(w, r)
	})
	s := start(t, d, nil)
	status, body, header := ask(t, s, "POST", "/v3/pipeline?authToken=planted", `{"requests":[]}`, func(r *http.Request) {
		r.Header.Set("Cookie", "planted=1")
		r.Header.Set("X-Forwarded-For", "planted")
		r.Header.Set("Connection", "X-Hop")
		r.Header.Set("X-Hop", "planted")
		r.Header.Set("X-Libsql-Client-Version", "libsql-remote-0.9.25")
		r.Header.Set("Content-Type", "application/json")
	})
	if status != 200 || body != noBase {
		t.Fatalf("status %d: %s", status, body)
	}
	if got := d.last.URL.String(); got != "/dbs/app/v3/pipeline" || d.body != `{"requests":[]}` {
		t.Errorf("the database received a request for %s with body %s", got, d.body)
	}
	d.last.Header.Del("Accept-Encoding")
	want := http.Header{
		"Authorization": {"Bearer session-token"}, "Content-Type": {"application/json"},
		"X-Libsql-Client-Version": {"libsql-remote-0.9.25"}, "User-Agent": {"Go-http-client/1.1"}, "Content-Length": {"15"},
	}
	if diff := cmp.Diff(want, d.last.Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin", "Strict-Transport-Security"} {
		if header.Get(name) != "" {
			t.Errorf("the response has the header %s", name)
		}
	}
}

// A response that arrives in one piece is passed on in one, with its length, even if its
// base_url is replaced.
func TestShortResponsesHaveALength(t *testing.T) {
	d := newDatabase(t, nil)
	answer := `{"baton":"b","base_url":"` + d.URL + `/dbs/app/x","results":[]}`
	d.answer = respond(200, "application/json", answer)
	s := start(t, d, nil)
	status, body, header := ask(t, s, "POST", "/v3/pipeline", `{"requests":[]}`, nil)
	if want := strings.ReplaceAll(answer, d.URL+"/dbs/app", s.URL()); status != 200 || body != want || header.Get("Content-Length") != strconv.Itoa(len(want)) {
		t.Errorf("status %d: %s, Content-Length %s", status, body, header.Get("Content-Length"))
	}
	if d.last.ContentLength != int64(len(`{"requests":[]}`)) {
		t.Errorf("the request to the database has Content-Length %d", d.last.ContentLength)
	}
}

// libsql-server compresses a response in any coding that its client accepts, and browsers,
// Node.js and Python accept gzip.
func TestResponsesToClientsThatAcceptGzip(t *testing.T) {
	d := newDatabase(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			io.WriteString(w, noBase)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		compressed := gzip.NewWriter(w)
		io.WriteString(compressed, noBase)
		compressed.Close()
	})
	s := start(t, d, nil)
	for accepted, want := range map[string]string{
		"gzip, deflate, br": "gzip", "br, gzip;q=0.5": "gzip", "br": "", "gzip;q=0": "", "identity": "",
	} {
		status, body, header := ask(t, s, http.MethodPost, "/v2/pipeline", "{}", func(r *http.Request) {
			r.Header.Set("Accept-Encoding", accepted)
		})
		if want == "gzip" {
			body = unzip(t, body)
		}
		if status != http.StatusOK || body != noBase || header.Get("Content-Encoding") != want {
			t.Errorf("%s: status %d, encoding %q, body %q", accepted, status, header.Get("Content-Encoding"), body)
		}
	}
}

func zip(plain string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, plain)
	w.Close()
	return b.String()
}

func unzip(t *testing.T, compressed string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// A compressed response is passed on unchanged, byte by byte, and is decompressed only if its
// base_url has to be replaced.
func TestCompressedResponses(t *testing.T) {
	large := `{"baton":"b","base_url":null,"results":[` + strings.Repeat(`"row",`, 100_000) + `0]}`
	late := `{"results":["` + strings.Repeat("x", 100_000) + `"],"baton":null,"base_url":null}`
	var answer string
	d := newDatabase(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, answer)
	})
	s := start(t, d, nil)
	for name, test := range map[string]struct {
		answer string
		status int
		plain  string // "" if the response passes unchanged
	}{
		"no base_url":          {zip(large), 200, ""},
		"base_url at the end":  {zip(late), 200, late},
		"base_url, other path": {zip(`{"baton":"b","base_url":"` + d.URL + `/dbs/app/x","results":[]}`), 200, `{"baton":"b","base_url":"` + s.URL() + `/x","results":[]}`},
		"base_url, other host": {zip(`{"base_url":"http://evil.example"}`), 502, ""},
		"not compressed":       {"plain", 502, ""},
	} {
		answer = test.answer
		status, body, header := ask(t, s, http.MethodPost, "/v2/pipeline", "{}", func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
		switch {
		case status != test.status:
			t.Errorf("%s: status %d: %.80s", name, status, body)
		case status != 200:
		case test.plain == "" && (body != test.answer || header.Get("Content-Encoding") != "gzip"):
			t.Errorf("%s: %d bytes, want %d, encoding %q", name, len(body), len(test.answer), header.Get("Content-Encoding"))
		case test.plain != "" && (body != test.plain || header.Get("Content-Encoding") != ""):
			t.Errorf("%s: %.200s, encoding %q", name, body, header.Get("Content-Encoding"))
		}
	}
}

// Replicas with the older protocol use gRPC over HTTP/2, or gRPC-Web over HTTP/1.
func TestOlderReplicas(t *testing.T) {
	d := newDatabase(t, respond(200, "application/json", noBase))
	s := start(t, d, nil)
	h2 := new(http.Protocols)
	h2.SetUnencryptedHTTP2(true)
	for name, client := range map[string]*http.Client{
		"application/grpc+proto":     {Transport: &http.Transport{Protocols: h2}},
		"application/grpc-web+proto": {Transport: &http.Transport{}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/wal_log.ReplicationLog/Hello", strings.NewReader("\x00\x00\x00\x00\x00"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", name)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		client.CloseIdleConnections()
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != name || resp.Header.Get("Grpc-Status") != "12" ||
			resp.Header.Get("Grpc-Message") != "this server has no sync V2; use remote" {
			t.Errorf("%s: %s %v", name, resp.Status, resp.Header)
		}
	}
	if d.last != nil {
		t.Error("the database received a request")
	}
}

func TestAuthorization(t *testing.T) {
	d := newDatabase(t, respond(200, "application/json", noBase))
	s := start(t, d, func(c *gateway.Config) {
		c.Origins, c.Hosts = []string{"http://localhost:5173"}, []string{"db.internal"}
	})
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			if name == "Host" {
				r.Host = value
				return
			}
			r.Header.Set(name, value)
		}
	}
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"bearer":               {nil, 200},
		"no bearer":            {func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		"another bearer":       {set("Authorization", "Bearer session-token"), 401},
		"bearer's beginning":   {set("Authorization", "Bearer "+s.Bearer().Reveal()[:20]), 401},
		"basic authentication": {set("Authorization", "Basic "+s.Bearer().Reveal()), 401},
		"lower case":           {set("Authorization", "bearer "+s.Bearer().Reveal()), 200},
		"listed page":          {set("Origin", "http://localhost:5173"), 200},
		"other page":           {set("Origin", "http://localhost:5174"), 403},
		"file: page":           {set("Origin", "null"), 403},
		"rebound name":         {set("Host", "evil.example:80"), 421},
		"localhost":            {set("Host", "localhost:1"), 200},
		"IPv6":                 {set("Host", "[::1]:1"), 200},
		"listed host":          {set("Host", "db.internal:8080"), 200},
		"loopback prefix":      {set("Host", "127.0.0.1.evil.example"), 421},
		"websocket":            {set("Upgrade", "websocket"), 501},
		"websocket of a page's script, which can't send a bearer": {func(r *http.Request) {
			r.Header.Del("Authorization")
			r.Header.Set("Upgrade", "websocket")
		}, 501},
	} {
		d.last = nil
		if status, body, _ := ask(t, s, "POST", "/v2/pipeline", "{}", test.change); status != test.status || (d.last != nil) != (status == 200) {
			t.Errorf("%s: status %d: %s", name, status, body)
		}
	}
}

func TestPreflight(t *testing.T) {
	d := newDatabase(t, respond(500, "text/plain", "asked"))
	s := start(t, d, func(c *gateway.Config) { c.Origins = []string{"https://app.example"} })
	status, _, header := ask(t, s, "OPTIONS", "/v2/pipeline", "", func(r *http.Request) {
		r.Header.Del("Authorization") // browsers send none
		r.Header.Set("Origin", "https://app.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Private-Network", "true")
	})
	if status != 204 || header.Get("Access-Control-Allow-Origin") != "https://app.example" || header.Get("Vary") != "Origin" ||
		!strings.Contains(header.Get("Access-Control-Allow-Headers"), "authorization") || header.Get("Access-Control-Allow-Private-Network") != "true" ||
		header.Get("Access-Control-Allow-Credentials") != "" || d.last != nil {
		t.Errorf("status %d, header %v", status, header)
	}
}

func TestRoutes(t *testing.T) {
	d := newDatabase(t, respond(200, "application/octet-stream", "ok"))
	s := start(t, d, nil)
	for line, want := range map[string]string{
		"GET /info":            "/dbs/app/info",
		"GET //info":           "/dbs/app/info",
		"GET /export/1":        "/dbs/app/export/1",
		"GET /sync/1/1/129":    "/dbs/app/sync/1/1/129",
		"POST /sync/1/1/2/ab":  "/dbs/app/sync/1/1/2/ab",
		"GET /dump":            "/dbs/app/dump",
		"GET /v3":              "/dbs/app/v3",
		"GET /version":         "/dbs/app/version",
		"POST /v1/execute":     "/dbs/app/v1/execute",
		"POST /":               "/dbs/app/",
		"GET /":                "405",
		"POST /info":           "405",
		"DELETE /v2/pipeline":  "405",
		"GET /v2/pipeline":     "405",
		"POST /v3-protobuf":    "405",
		"GET /v1/databases":    "404",
		"GET /dump/../info":    "404",
		"GET /sync/../../dbs":  "404",
		"GET /%2e%2e/other":    "404",
		"POST /beta/invocate":  "404",
		"GET /sync/1/1/%2e%2e": "404",
	} {
		method, path, _ := strings.Cut(line, " ")
		d.last = nil
		status, _, _ := ask(t, s, method, path, "", nil)
		got := fmt.Sprint(status)
		if d.last != nil {
			got = d.last.URL.Path
		}
		if got != want {
			t.Errorf("%s went to %s, want %s", line, got, want)
		}
	}
}

func TestRedirectsAndOtherHostsAreRefused(t *testing.T) {
	elsewhere := newDatabase(t, respond(200, "application/json", noBase))
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(307)
		},
		"base_url":           respond(200, "application/json", `{"baton":"b","base_url":"`+elsewhere.URL+`","results":[]}`),
		"base_url, scheme":   respond(200, "application/json", `{"baton":"b","base_url":"https://127.0.0.1/dbs/app","results":[]}`),
		"base_url, escaped":  respond(200, "application/json", `{"baton":"b","base\u005furl":"`+elsewhere.URL+`","results":[]}`),
		"base_url, late":     respond(200, "application/json", `{"results":[{"base_url":"x"}],"base_url":"`+elsewhere.URL+`"}`),
		"base_url, second":   respond(200, "application/json", `{"base_url":null,"base_url":"`+elsewhere.URL+`"}`),
		"base_url, capital":  respond(200, "application/json", `{"BASE_URL":"`+elsewhere.URL+`","baton":null}`),
		"base_url, long s":   respond(200, "application/json", `{"base_url":"","ba\u017Fe_url":"`+elsewhere.URL+`"}`),
		"base_url, no text":  respond(200, "application/json", `{"baton":"b","base_url":{"a":1},"results":[]}`),
		"base_url, too long": respond(200, "application/json", `{"base_url":"`+strings.Repeat("x", 1<<14)+`"}`),
	} {
		d := newDatabase(t, answer)
		s := start(t, d, nil)
		status, body, header := ask(t, s, "POST", "/v2/pipeline", "{}", nil)
		if status != 502 || strings.Contains(body, elsewhere.URL) || header.Get("Location") != "" || elsewhere.last != nil {
			t.Errorf("%s: status %d: %s, header %v", name, status, body, header)
		}
	}
}

// A base_url that arrives late in the response can only cut it off.
func TestLateBaseURL(t *testing.T) {
	d := newDatabase(t, respond(200, "application/json", `{"results":["`+strings.Repeat("x", 1<<20)+`"],"base_url":"https://elsewhere.example"}`))
	s := start(t, d, nil)
	if _, body, _ := ask(t, s, "POST", "/v2/pipeline", "{}", nil); !strings.HasPrefix(body, "cut: ") || strings.Contains(body, "elsewhere") {
		t.Errorf("the body is %.40s... of %d bytes, want it cut off", body, len(body))
	}
}

// A second base_url is treated like the first: if it names another host it never passes,
// whatever its letter case and however many rows precede it, compressed or not; if it names
// the database, it becomes the gateway's.
func TestSecondBaseURL(t *testing.T) {
	const head = `{"baton":null,"base_url":null,"results":[`
	rows := strings.Repeat(`{"value":"a \\\" } ] \\\\"},[{}],`, 100_000) + `0]`
	for name, tail := range map[string]string{
		"base_url at the end":         `,"base_url":"https://elsewhere.example"}`,
		"base_url in capital letters": `,"BASE_URL":"https://elsewhere.example"}`,
		"base_url in mixed case":      `,"a":{"b":[]},"Base_Url":"https://elsewhere.example"}`,
		"escaped":                     `,"BASE\u005FURL" : "https://elsewhere.example"}`,
		"a second base_url":           `,"base_url":"","base_url":"https://elsewhere.example"}`,
	} {
		for _, middle := range []string{"0]", rows} {
			for _, coding := range []string{"", "gzip"} {
				d := newDatabase(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					if coding == "" {
						io.WriteString(w, head+middle+tail)
						return
					}
					w.Header().Set("Content-Encoding", "gzip")
					io.WriteString(w, zip(head+middle+tail))
				})
				s := start(t, d, nil)
				status, body, header := ask(t, s, "POST", "/v2/pipeline", "{}", func(r *http.Request) {
					if coding != "" {
						r.Header.Set("Accept-Encoding", coding)
					}
				})
				if header.Get("Content-Encoding") == "gzip" {
					plain, _ := gzip.NewReader(strings.NewReader(strings.TrimPrefix(body, "cut: ")))
					if plain != nil {
						text, _ := io.ReadAll(plain) // as far as it was received
						body += string(text)
					}
				}
				if status == 200 && !strings.HasPrefix(body, "cut: ") || strings.Contains(body, "elsewhere.example") {
					t.Errorf("%s, %d bytes, coding %q: status %d, %d bytes that end in %q", name, len(middle), coding, status, len(body), body[max(0, len(body)-100):])
				}
			}
		}
	}

	d := newDatabase(t, nil)
	d.answer = func(w http.ResponseWriter, r *http.Request) {
		respond(200, "application/json", head+rows+`,"BASE_URL":"`+d.URL+`/dbs/app/x"}`)(w, r)
	}
	s := start(t, d, nil)
	if _, body, _ := ask(t, s, "POST", "/v2/pipeline", "{}", nil); body != head+rows+`,"BASE_URL":"`+s.URL()+`/x"}` {
		t.Errorf("%d bytes that end in %q", len(body), body[max(0, len(body)-100):])
	}
}

// A stream that the server moved below its own path continues through the gateway.
func TestMovedStream(t *testing.T) {
	d := newDatabase(t, nil)
	d.answer = func(w http.ResponseWriter, r *http.Request) {
		respond(200, "application/json", `{"base_url" : "`+d.URL+`/dbs/app/node-2","baton":"b","results":[]}`)(w, r)
	}
	s := start(t, d, nil)
	_, body, _ := ask(t, s, "POST", "/v3/pipeline", "{}", nil)
	if want := `{"base_url" :"` + s.URL() + `/node-2","baton":"b","results":[]}`; body != want {
		t.Fatalf("%s, want %s", body, want)
	}
	ask(t, s, "POST", "/node-2/v3/pipeline", "{}", nil)
	if d.last.URL.Path != "/dbs/app/node-2/v3/pipeline" {
		t.Errorf("the stream continued at %s", d.last.URL.Path)
	}
}

func TestFailuresHaveStatusAndText(t *testing.T) {
	for kind, status := range map[error]int{
		provider.ErrNoCredential: 401, provider.ErrTokenExpired: 401, provider.ErrTokenInvalid: 401, provider.ErrRejected: 401,
		provider.ErrPermission: 403, provider.ErrUnavailable: 503, provider.ErrConfig: 500, provider.ErrNoProvider: 500,
		errors.New("connection refused"): 502, context.DeadlineExceeded: 504,
	} {
		d := newDatabase(t, nil)
		var failure error
		s := start(t, d, func(c *gateway.Config) {
			c.Observe = func(r gateway.Request) { failure = r.Err }
			c.Transport = failing{&provider.Error{Kind: kind, Message: "it went wrong", Hint: "do this", RetryAfter: 3 * time.Second}}
			if provider.Kind(kind) == nil {
				c.Transport = failing{kind}
			}
		})
		got, body, header := ask(t, s, "POST", "/v2/pipeline", "{}", nil)
		if got != status || header.Get("Content-Type") != "application/json" {
			t.Errorf("%v: status %d: %s", kind, got, body)
		}
		if provider.Kind(kind) != nil && (!strings.Contains(body, `"error":"it went wrong (do this)"`) || header.Get("Retry-After") != "4") {
			t.Errorf("%v: body %s, header %v", kind, body, header)
		}
		if err := s.Close(t.Context()); err != nil { // so that the request was observed
			t.Error(err)
		}
		if !errors.Is(failure, kind) {
			t.Errorf("%v: observed error %v", kind, failure)
		}
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, f.err
}

// A refused token is replaced, and the request is sent again, even if the client streams it.
func TestBodyCanBeSentAgain(t *testing.T) {
	d := newDatabase(t, respond(200, "application/json", noBase))
	s := start(t, d, func(c *gateway.Config) { c.Transport = twice{http.DefaultTransport} })
	for _, size := range []int{0, 10, 4 << 20, 5 << 20} {
		for _, streamed := range []bool{false, true} {
			body := strings.Repeat("x", size)
			status, answer, _ := ask(t, s, "POST", "/v2/pipeline", body, func(r *http.Request) {
				if streamed {
					r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), -1
				}
			})
			if fits := size <= 4<<20; fits && (status != 200 || d.body != body) || !fits && status != 502 {
				t.Errorf("%d bytes, streamed %v: status %d, the database received %d bytes: %.80s", size, streamed, status, len(d.body), answer)
			}
		}
	}
}

// twice sends each request twice, as after a 401.
type twice struct{ http.RoundTripper }

func (t twice) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.RoundTripper.RoundTrip(r)
	}
	if r.GetBody == nil {
		return nil, errors.New("the body can't be read again")
	}
	again, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	resp, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	r = r.Clone(r.Context())
	r.Body = again
	return t.RoundTripper.RoundTrip(r)
}

// Rows arrive while the database is still sending.
func TestResponsesAreStreamed(t *testing.T) {
	more := make(chan struct{})
	d := newDatabase(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"baton":null,"base_url":null}`+"\n"+`{"type":"row","row":[]}`+"\n")
		w.(http.Flusher).Flush()
		<-more
		io.WriteString(w, `{"type":"step_end"}`+"\n")
	})
	s := start(t, d, nil)
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/v3/cursor", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Bearer().Reveal())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	want := `{"baton":null,"base_url":null}` + "\n" + `{"type":"row","row":[]}` + "\n"
	first := make([]byte, len(want))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != want {
		t.Fatalf("first part %q, %v", first, err)
	}
	close(more)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != `{"type":"step_end"}`+"\n" {
		t.Errorf("rest %q, %v", rest, err)
	}
}

// TestSilence checks that a database that stops in the middle of a response ends the response
// with a known reason, where the client would wait for ever.
func TestSilence(t *testing.T) {
	answers := map[string]struct {
		method, path, begins string
		status               int
	}{
		"cut within frames":   {http.MethodGet, "/sync/1/1/128", strings.Repeat("x", 4120), http.StatusOK},
		"cut within rows":     {http.MethodPost, "/v2/pipeline", `{"baton":null,"base_url":null,"results":[`, http.StatusOK},
		"cut before base_url": {http.MethodPost, "/v2/pipeline", `{"baton":`, http.StatusServiceUnavailable},
	}
	for name, test := range answers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen gateway.Request
				config := gateway.Config{Timeout: time.Second, Observe: func(r gateway.Request) { seen = r }}
				h, _ := handler(t, config, roundTripper(func(r *http.Request) (*http.Response, error) {
					resp := answer(r, http.StatusOK, "application/octet-stream", "")
					never := &slowBody{ctx: r.Context(), late: time.Hour}
					resp.Body = struct {
						io.Reader
						io.Closer
					}{io.MultiReader(strings.NewReader(test.begins), never), never}
					resp.ContentLength = -1
					resp.Header.Del("Content-Length")
					return resp, nil
				}))
				// Under a server, an answer that breaks off panics, to be cut off for the client.
				ctx := context.WithValue(t.Context(), http.ServerContextKey, &http.Server{})
				r := httptest.NewRequestWithContext(ctx, test.method, "http://127.0.0.1"+test.path, nil)
				r.Header.Set("Authorization", "Bearer bearer")
				w, began, cut := httptest.NewRecorder(), time.Now(), any(nil)
				func() {
					defer func() { cut = recover() }()
					h.ServeHTTP(w, r)
				}()
				if w.Code != test.status || (cut == http.ErrAbortHandler) != (test.status == http.StatusOK) || time.Since(began) != time.Second {
					t.Errorf("status %d after %s, cut %v: %.80s", w.Code, time.Since(began), cut, w.Body)
				}
				if !errors.Is(seen.Err, provider.ErrUnavailable) || !strings.Contains(seen.Err.Error(), "fell silent") {
					t.Errorf("observed error %v", seen.Err)
				}
			})
		})
	}
}

func TestMetrics(t *testing.T) {
	d := newDatabase(t, respond(200, "application/json", noBase))
	var m gateway.Metrics
	s := start(t, d, func(c *gateway.Config) { c.Observe = m.Observe })
	ask(t, s, "POST", "/v2/pipeline", "{}", nil)
	ask(t, s, "POST", "/v3/pipeline", "{}", nil)
	ask(t, s, "GET", "/nothing", "", nil)
	if err := s.Close(context.Background()); err != nil { // so that the last request was counted
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := m.Write(&out, time.Unix(1767411233, 0)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE zen_proxy_requests_total counter\n",
		"zen_proxy_requests_total{route=\"pipeline\",status=\"200\"} 2\n",
		"zen_proxy_requests_total{route=\"none\",status=\"404\"} 1\n",
		"zen_proxy_failures_total 0\n",
		"zen_proxy_request_duration_seconds_bucket{route=\"pipeline\",le=\"+Inf\"} 2\n",
		"zen_proxy_request_duration_seconds_count{route=\"pipeline\"} 2\n",
		"zen_proxy_token_expiry_timestamp_seconds 1767411233\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestCloseDrainsAndThenCuts(t *testing.T) {
	entered, release := make(chan struct{}, 2), make(chan struct{})
	d := newDatabase(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		respond(200, "application/json", noBase)(w, r)
	})
	for _, drains := range []bool{true, false} {
		s := start(t, d, nil)
		answers := make(chan error, 1)
		go func() {
			req, _ := http.NewRequest("POST", s.URL()+"/v2/pipeline", strings.NewReader("{}"))
			req.Header.Set("Authorization", "Bearer "+s.Bearer().Reveal())
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			answers <- err
		}()
		<-entered
		ctx, cancel := context.WithCancel(t.Context())
		if drains {
			go func() { release <- struct{}{} }()
		} else {
			cancel()
		}
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := <-answers; drains != (err == nil) {
			t.Errorf("draining %v: the request ended with %v", drains, err)
		}
		cancel()
	}
}

// Interim responses and trailers aren't passed on: neither the database's to the client nor
// the client's to the database.
func TestInterimResponsesAndTrailers(t *testing.T) {
	d := newDatabase(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if len(r.Trailer) > 0 {
			t.Errorf("the request has the trailers %v", r.Trailer)
		}
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Location", "https://elsewhere.example")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Trailer", "Set-Cookie")
		_, _ = io.WriteString(w, noBase)
		w.Header().Set(http.TrailerPrefix+"X-More", "c")
	})
	s := start(t, d, nil)
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		t.Errorf("interim response %d: %v", code, h)
		return nil
	}}
	body := io.MultiReader(strings.NewReader(`{"requests":[]}`)) // of unknown length, so that trailers can follow
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", s.URL()+"/v2/pipeline", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Bearer().Reveal())
	req.Trailer = http.Header{"X-Late": {"secret"}}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || len(resp.Trailer) > 0 || resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Location") != "" {
		t.Errorf("status %d, header %v, trailers %v", resp.StatusCode, resp.Header, resp.Trailer)
	}
}
