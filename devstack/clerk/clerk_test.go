package clerk

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// One key for all tests: making one takes longer than a test.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

const testBase = "http://127.0.0.1:4000"

// bench is an instance and a clock that tests move.
type bench struct {
	*Instance
	t     *testing.T
	clock time.Time
	alice string
	bob   string
	code  string       // the last e-mail code
	fault atomic.Value // name of the active fault
}

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, clock: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)}
	opts := Options{
		BaseURL: testBase, Key: testKey(), SecretKey: "sk_test_secret",
		Now:      func() time.Time { return b.clock },
		SendCode: func(_, code string) { b.code = code },
		Fault:    func(name string) bool { return name == b.fault.Load() },
		Templates: []Template{{
			Name: "turso", Lifetime: 10 * time.Minute,
			Claims: json.RawMessage(`{"id":"db","a":"rw","perm":"{{user.public_metadata.perm || false}}","who":"{{user.first_name}} of {{org.slug}}"}`),
		}},
	}
	for _, f := range change {
		f(&opts)
	}
	var err error
	if b.Instance, err = New(opts); err != nil {
		t.Fatal(err)
	}
	b.alice, b.bob = b.UserID("alice@example.test"), b.UserID("bob@example.test")
	return b
}

// reply is an answer of either API.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

// code returns the code of the first error, or "".
func (r reply) code() string {
	errs, _ := r.body["errors"].([]any)
	if len(errs) == 0 {
		return ""
	}
	code, _ := errs[0].(map[string]any)["code"].(string)
	return code
}

func (r reply) clientJWT() string { return r.header.Get("Authorization") }

// at walks the body by names and indices of a dotted path.
func (r reply) at(path string) any {
	var v any = r.body
	for _, name := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			if name != "0" || len(x) == 0 {
				return nil
			}
			v = x[0]
		default:
			return nil
		}
	}
	return v
}

func (b *bench) do(req *http.Request) reply {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, req)
	r := reply{status: w.Code, header: w.Header(), raw: w.Body.String()}
	if strings.HasPrefix(strings.TrimSpace(r.raw), "{") {
		if err := json.Unmarshal(w.Body.Bytes(), &r.body); err != nil {
			b.t.Fatalf("%s %s: %v in %s", req.Method, req.URL.Path, err, r.raw)
		}
	}
	return r
}

// native sends a Frontend API call; path may have a query.
func (b *bench) native(method, path, clientJWT string, form url.Values) reply {
	b.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	req := httptest.NewRequest(method, path+sep+"_is_native=1", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if clientJWT != "" {
		req.Header.Set("Authorization", clientJWT)
	}
	return b.do(req)
}

// server sends a Backend API call with the secret key.
func (b *bench) server(method, path, body string) reply {
	b.t.Helper()
	req := httptest.NewRequest(method, BackendPrefix+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer sk_test_secret")
	req.Header.Set("Content-Type", "application/json")
	return b.do(req)
}

// signIn signs a user in with a ticket.
func (b *bench) signIn(userID string) (clientJWT, sessionID string) {
	b.t.Helper()
	ticket, err := b.Ticket(userID, time.Minute)
	if err != nil {
		b.t.Fatal(err)
	}
	r := b.native("POST", "/v1/client/sign_ins", "", url.Values{"strategy": {"ticket"}, "ticket": {ticket}})
	if r.status != http.StatusOK {
		b.t.Fatalf("sign in: %d %s", r.status, r.raw)
	}
	return r.clientJWT(), r.at("response.created_session_id").(string)
}

func (b *bench) want(r reply, status int, code string) {
	b.t.Helper()
	if r.status != status || r.code() != code {
		b.t.Errorf("got %d %q, want %d %q; body %.300s", r.status, r.code(), status, code, r.raw)
	}
}
