package auth0_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/jose/josetest"
)

// Some keys for all tests: making one takes longer than a test.
var testKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	var keys []*rsa.PrivateKey
	for range 4 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

const verifier = "a-verifier-of-at-least-forty-three-characters"

// bench is a tenant on one port, and a waiting terminal on another.
type bench struct {
	*auth0.Tenant
	t        *testing.T
	url      string
	callback string
	fault    atomic.Value
	mu       sync.Mutex
	clock    time.Time
}

func newBench(t *testing.T, change ...func(*auth0.Options)) *bench {
	t.Helper()
	b := &bench{t: t, clock: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)}
	terminal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<title>You can close this page</title>")
	}))
	t.Cleanup(terminal.Close)
	b.callback = terminal.URL + "/callback"
	server := httptest.NewUnstartedServer(nil)
	b.url = "http://" + server.Listener.Addr().String()
	opts := auth0.Options{
		BaseURL: b.url, Keys: testKeys(), Now: b.now,
		Fault:         func(name string) bool { return b.fault.Load() == name },
		Action:        auth0.Claims(map[string]any{"id": "db-1", "a": "rw", "perm": []any{}, "rid": "rid-1", "sub": "mallory", "roles": []string{"x"}}),
		MachineAction: auth0.MachineClaims(map[string]any{"id": "db-1", "a": "ro", "gty": "mallory"}),
		Applications: []auth0.Application{
			{ClientID: "native", Name: "zen", Callbacks: []string{b.callback}, LogoutURLs: []string{b.callback}},
			{ClientID: "machine", Secret: "m4chine", Grants: []auth0.ClientGrant{
				{Audience: auth0.DefaultAudience, Scopes: []string{"read:db"}, Organizations: auth0.OrganizationsAllow}, {Audience: "https://ps256.test"},
			}},
			{ClientID: "machine-key", Keys: []auth0.AssertionKey{{ID: "k1", Algorithm: "PS256", Public: &testKeys()[3].PublicKey}}, Grants: []auth0.ClientGrant{{Audience: auth0.DefaultAudience}}},
			{ClientID: "teams", Name: "zen teams", Callbacks: []string{b.callback}, Organizations: auth0.OrganizationsRequire},
			{ClientID: "leeway", Callbacks: []string{b.callback}, RefreshLeeway: 30 * time.Second},
			{ClientID: "web", Secret: "s3cret", Callbacks: []string{b.callback}, GrantTypes: []string{auth0.GrantCode}},
		},
		APIs: []auth0.API{
			{Identifier: auth0.DefaultAudience, Scopes: []string{"read:db"}},
			{Identifier: "https://ps256.test", Algorithm: auth0.PS256},
			{Identifier: "https://hs256.test", Algorithm: auth0.HS256},
			{Identifier: "https://rfc9068.test", RFC9068: true, DenyOfflineAccess: true, TokenLifetime: time.Hour},
		},
	}
	for _, f := range change {
		f(&opts)
	}
	var err error
	if b.Tenant, err = auth0.New(opts); err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = b.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return b
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	err    error
}

func (r reply) text(name string) string { s, _ := r.body[name].(string); return s }

func (b *bench) post(path string, form url.Values) reply {
	b.t.Helper()
	resp, err := http.PostForm(b.url+path, form)
	if err != nil {
		return reply{err: err}
	}
	return b.read(resp)
}

func (b *bench) read(resp *http.Response) reply {
	b.t.Helper()
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, header: resp.Header}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if strings.HasPrefix(string(raw), "{") {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			b.t.Fatalf("%v in %s", err, raw)
		}
	}
	return r
}

func (b *bench) want(r reply, status int, code string) {
	b.t.Helper()
	if r.err != nil || r.status != status || r.text("error") != code {
		b.t.Errorf("got %d %v, %v; want %d %q", r.status, r.body, r.err, status, code)
	}
}

// request returns an authorization request.
func (b *bench) request(change ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {"native"}, "redirect_uri": {b.callback}, "state": {"state-1"},
		"scope": {"openid profile email offline_access read:db write:db"}, "audience": {auth0.DefaultAudience}, "nonce": {"n-1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		q.Set(change[i], change[i+1])
		if change[i+1] == "" {
			q.Del(change[i])
		}
	}
	return q
}

// visit makes a person sign in; it returns what the terminal's callback got.
func (b *bench) visit(who *browse.Browser, q url.Values) (url.Values, error) {
	at, err := who.Visit(context.Background(), b.url+"/authorize?"+q.Encode())
	if err != nil {
		return nil, err
	}
	return at.Query(), nil
}

func alice() *browse.Browser { return &browse.Browser{Person: browse.Person{User: "alice"}} }

// code signs Alice in and returns the code.
func (b *bench) code(change ...string) string {
	b.t.Helper()
	got, err := b.visit(alice(), b.request(change...))
	if err != nil || got.Get("code") == "" || got.Get("state") != "state-1" {
		b.t.Fatalf("callback got %v, %v", got, err)
	}
	return got.Get("code")
}

func (b *bench) exchange(code string, change ...string) reply {
	b.t.Helper()
	form := url.Values{"grant_type": {auth0.GrantCode}, "client_id": {"native"}, "code": {code}, "redirect_uri": {b.callback}, "code_verifier": {verifier}}
	for i := 0; i+1 < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return b.post("/oauth/token", form)
}

// tokens signs Alice in and returns her tokens.
func (b *bench) tokens(change ...string) reply {
	b.t.Helper()
	client := "native"
	for i := 0; i+1 < len(change); i += 2 {
		if change[i] == "client_id" {
			client = change[i+1]
		}
	}
	r := b.exchange(b.code(change...), "client_id", client)
	b.want(r, 200, "")
	return r
}

func (b *bench) parse(token string) (*jwt.Token, error) {
	keys, err := josetest.Keys(b.url + "/.well-known/jwks.json")
	if err != nil {
		return nil, err
	}
	return jwt.Parse(token, keys, jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithTimeFunc(b.now), jwt.WithIssuer(b.url+"/"), jwt.WithExpirationRequired())
}

func (b *bench) claims(token string) jwt.MapClaims {
	b.t.Helper()
	parsed, err := b.parse(token)
	if err != nil {
		b.t.Fatal(err)
	}
	return parsed.Claims.(jwt.MapClaims)
}
