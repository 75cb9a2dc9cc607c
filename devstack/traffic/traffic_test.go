package traffic

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/testwait"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func newRecorder() *Recorder {
	return New(func() time.Time { return now })
}

func service(*http.Request) string { return "Test" }

func compact(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + encode([]byte("SIGNATURE"))
}

const header = `{"alg":"RS256","kid":"ins_1"}`

// record records a response's body and status, and returns the recorded request.
func record(t *testing.T, r *Recorder, request *http.Request, status int, body string) Request {
	t.Helper()
	r.Record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}), service).ServeHTTP(httptest.NewRecorder(), request)
	return r.Requests()[0]
}

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		verdict Verdict
		reason  string
	}{
		{"rows", 200, `{"results":[{"type":"ok","response":{"type":"execute","result":{"rows":[[{"type":"text","value":"\"type\":\"error\""}]]}}}]}`, Answered, ""},
		{"Turso", 401, `{"error":"Unauthorized: no"}`, Refused, "Unauthorized: no"},
		{"Hrana", 400, `{"error":{"message":"unknown stream","code":"STREAM_EXPIRED"}}`, Refused, "STREAM_EXPIRED: unknown stream"},
		{"Hrana, bare", 400, `{"message":"bad baton","code":"BATON"}`, Refused, "BATON: bad baton"},
		{"Clerk", 422, `{"errors":[{"code":"form_code_incorrect","message":"is incorrect","long_message":"Incorrect code"}]}`, Refused, "form_code_incorrect: Incorrect code"},
		{"OAuth", 403, `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`, Refused, "invalid_grant: Unknown or invalid refresh token."},
		{"text", 404, "404 page not found\n", Refused, "404 page not found"},
		{"page", 403, "<!doctype html><title>no</title>", Refused, "Forbidden"},
		{"nothing", 503, "", Failed, "Service Unavailable"},
		{"statement", 200, `{"results":[{"type":"ok","response":{"type":"close"}},{"type":"error","error":{"message":"SQL write operations are forbidden","code":"BLOCKED"}}]}`, Refused, "BLOCKED: SQL write operations are forbidden"},
		{"batch", 200, `{"results":[{"type":"ok","response":{"type":"batch","result":{"step_results":[null],"step_errors":[null,{"message":"no such table: t","code":"SQLITE_ERROR"}]}}}]}`, Erred, "SQLITE_ERROR: no such table: t"},
		{"batch without", 200, `{"results":[{"type":"ok","response":{"type":"batch","result":{"step_results":[null],"step_errors":[null]}}}]}`, Answered, ""},
		{"cursor", 200, "{\"baton\":null}\n{\"type\":\"step_begin\",\"step\":0}\n{\"type\":\"step_error\",\"step\":0,\"error\":{\"message\":\"boom\"}}\n", Erred, "boom"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := record(t, newRecorder(), httptest.NewRequest("POST", "/dbs/app/v3/pipeline", nil), tt.status, tt.body)
			if got.Verdict != tt.verdict || got.Reason != tt.reason || got.Status != tt.status {
				t.Errorf("record = %d %s %q, want %d %s %q", got.Status, got.Verdict, got.Reason, tt.status, tt.verdict, tt.reason)
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	r := newRecorder()
	r.Record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Ignore(wrapper{w}, []string{"locale", "transfer"})
	}), service).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if got := r.Requests()[0].Ignored; got != "locale, transfer" {
		t.Errorf("ignored %q", got)
	}
	Ignore(httptest.NewRecorder(), []string{"x"}) // not recorded
}

type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestCallers(t *testing.T) {
	tests := []struct {
		name, authorization string
		want                Caller
	}{
		{"nobody", "", Caller{}},
		{"JWT", "Bearer " + compact(header, `{"iss":"https://c.test","sub":"user_1","exp":1772600767,"email":"x@y.test"}`),
			Caller{Kind: "JWT", KeyID: "ins_1", Issuer: "https://c.test", Subject: "user_1", Expires: now}},
		{"bare JWT", compact(`{"alg":"RS256"}`, `{"id":"client_1","rotating_token":"x"}`), Caller{Kind: "JWT"}},
		{"secret key", "Bearer sk_test_abcdefgh", Caller{Kind: "secret key"}},
		{"password", "Basic YTpi", Caller{Kind: "basic"}},
		{"opaque", "Bearer v1.abc", Caller{Kind: "token"}},
		{"odd claims", "Bearer " + compact(`{"kid":7}`, `{"iss":[],"sub":{"a":1},"exp":"soon"}`), Caller{Kind: "JWT"}},
		{"no claims", "Bearer " + compact(header, `[]`), Caller{Kind: "token"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var known callers
			got := known.of(tt.authorization)
			if again := known.of(tt.authorization); again != got {
				t.Errorf("first %+v, then %+v", got, again)
			}
			if !got.Expires.Equal(tt.want.Expires) {
				t.Errorf("expires %s, want %s", got.Expires, tt.want.Expires)
			}
			got.Expires, tt.want.Expires = time.Time{}, time.Time{}
			if got != tt.want {
				t.Errorf("of = %+v, want %+v", got, tt.want)
			}
		})
	}
}

// No usable secret is recorded.
func TestNoSecrets(t *testing.T) {
	r := newRecorder()
	jwt := compact(header, `{"sub":"user_1","rotating_token":"HUSH-1","deep":{"client_secret":"HUSH-2","list":["sk_live_HUSH34567"]}}`)
	request := httptest.NewRequest("GET", "/v1/"+jwt+"/sk_live_HUSH4444?ticket=HUSH-5&"+jwt+"=1", nil)
	request.Header.Set("Authorization", "Bearer "+jwt)
	record(t, r, request, 200, `{"jwt":"`+jwt+`","refresh_token":"HUSH-6"}`)
	record(t, r, request, 401, `{"error":"bad token `+jwt+` or key sk_test_HUSH7777"}`)
	held := fmt.Sprintf("%+v %+v", r.Requests(), r.Tokens())
	_, signature, _ := strings.Cut(jwt[len(header):], ".")
	for _, secret := range []string{"HUSH", jwt, signature, base64.RawURLEncoding.EncodeToString([]byte("SIGNATURE"))} {
		if strings.Contains(held, secret) {
			t.Errorf("the secret %q was recorded:\n%s", secret, held)
		}
	}
	if len(r.Tokens()) != 1 || !strings.Contains(held, "user_1") {
		t.Errorf("the token was not recorded: %s", held)
	}
}

func TestTokens(t *testing.T) {
	r := newRecorder()
	database, clerk := compact(header, `{"id":"db"}`), compact(header, `{"sub":"user_1"}`)
	record(t, r, httptest.NewRequest("POST", "/dbs/app/v3/pipeline", nil), 200, `{"value":"`+database+`"}`)
	if n := len(r.Tokens()); n != 0 {
		t.Errorf("%d tokens, want none: it was a row", n)
	}
	for range 3 {
		record(t, r, httptest.NewRequest("POST", "/v1/tokens", nil), 200, `{"jwt":"`+clerk+`"}`)
	}
	tokens := r.Tokens()
	if len(tokens) != 1 || tokens[0].Claims[0] != (Field{"sub", "user_1"}) {
		t.Errorf("Tokens = %+v, want the one token once", tokens)
	}
	for i := range 2 * maxTokens {
		r.addToken([]byte{byte(i), byte(i >> 8)}, Token{Path: fmt.Sprint(i)})
	}
	if tokens = r.Tokens(); len(tokens) != maxTokens || tokens[0].Path != fmt.Sprint(2*maxTokens-1) {
		t.Errorf("%d tokens, the newest %q", len(tokens), tokens[0].Path)
	}
}

func TestRing(t *testing.T) {
	r := newRecorder()
	for i := range maxRequests + 50 {
		record(t, r, httptest.NewRequest("GET", fmt.Sprintf("/%d", i), nil), 200, "")
	}
	list := r.Requests()
	if len(list) != maxRequests || list[0].Path != "/249" || list[maxRequests-1].Path != "/50" {
		t.Errorf("%d requests from %s to %s", len(list), list[0].Path, list[len(list)-1].Path)
	}
}

// The recorder must not hide net/http's optional interfaces from a handler.
func TestPassThrough(t *testing.T) {
	r := newRecorder()
	server := httptest.NewServer(r.Record(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/flush":
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/hijack":
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		}
	}), service))
	defer server.Close()
	for path, want := range map[string]Verdict{"/flush": Answered, "/abort": Cut, "/hijack": Cut, "/empty": Answered} {
		resp, err := http.Get(server.URL + path)
		if (err != nil) != (want == Cut) {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			resp.Body.Close()
		}
		// An answer can arrive before the handler has returned.
		testwait.Until(t, path+" is recorded", func() bool { return r.Requests()[0].Path == path })
		if got := r.Requests()[0]; got.Verdict != want {
			t.Errorf("Requests = %s %s, want %s %s", got.Path, got.Verdict, path, want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("Bearer "+compact(header, `{"exp":1e400}`), `{"errors":[]}`)
	f.Add("Bearer a.b.c", `{"type":"error","results":[{"error":null}]}`)
	f.Add("Bearer "+compact(`null`, `{"exp":-1,"a":{"b":[[[]]]}}`), "\xff"+`"step_errors":[`)
	f.Fuzz(func(t *testing.T, authorization, body string) {
		r := newRecorder()
		request := httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Authorization", authorization)
		record(t, r, request, 200, body)
		record(t, r, request, 400, body+authorization)
	})
}
