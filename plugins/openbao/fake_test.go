package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

const databaseURL = "libsql://app-acme.turso.io"

// fakeBao answers as OpenBao 2.7 was observed to.
type fakeBao struct {
	t      *testing.T
	server *httptest.Server
	now    func() time.Time

	mu       sync.Mutex // guards all below
	requests []string   // METHOD path?query
	headers  []http.Header
	bodies   []string
	// fail answers for a request "METHOD path" instead of the server.
	fail map[string]http.HandlerFunc
	// tokens are the valid ones; made counts those issued by logins.
	tokens map[string]bool
	made   int
	// ttl is the lifetime of tokens in seconds; wrapped maps wrapping tokens to what they
	// wrap.
	ttl     int
	wrapped map[string]any
	// change alters the response of creds, claims the claims of its token.
	change func(map[string]any)
	claims func(map[string]any)
	state  string
}

func newFakeBao(t *testing.T) *fakeBao {
	f := &fakeBao{
		t: t, now: time.Now, fail: map[string]http.HandlerFunc{}, tokens: map[string]bool{"planted-token": true}, ttl: 3600,
		wrapped: map[string]any{}, state: strings.Repeat("s", 20),
	}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

// configured returns a provider that uses the server.
func (f *fakeBao) configured(more map[string]string) *openbao {
	f.t.Helper()
	p := newProvider("test")
	p.tokenFile = filepath.Join(f.t.TempDir(), "none")
	values := provider.Settings{}
	for _, field := range fields() {
		values[field.Key] = provider.NewSecret(field.Default)
	}
	values[keyAddress], values[keyRole], values[keyAuthRole] = provider.NewSecret(f.server.URL), provider.NewSecret("app"), provider.NewSecret("people")
	for key, value := range more {
		values[key] = provider.NewSecret(value)
	}
	if _, err := p.Configure(f.t.Context(), values); err != nil {
		f.t.Fatal(err)
	}
	return p
}

func (f *fakeBao) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	request := r.Method + " " + r.URL.Path
	f.requests, f.headers, f.bodies = append(f.requests, r.Method+" "+r.URL.String()), append(f.headers, r.Header.Clone()), append(f.bodies, string(body))
	if strings.Contains(r.URL.String(), "planted") {
		f.t.Errorf("the URL of %s contains a secret", request)
	}
	w.Header().Set("Content-Type", "application/json")
	if h := f.fail[request]; h != nil {
		h(w, r)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	token := r.Header.Get("X-Vault-Token")
	switch {
	case path == "sys/health":
		reply(w, 200, `{"initialized":true,"sealed":false,"standby":false,"version":"2.7.2"}`)
	case strings.HasPrefix(path, "auth/") && strings.HasSuffix(path, "/login"), strings.HasSuffix(path, "/oidc/callback"):
		f.answer(w, r, map[string]any{"auth": f.auth()})
	case strings.HasSuffix(path, "/oidc/auth_url"):
		var asked map[string]string
		_ = json.Unmarshal(body, &asked)
		f.answer(w, r, map[string]any{"data": map[string]string{
			"auth_url": "https://issuer.example/authorize?redirect_uri=" + asked["redirect_uri"] + "&state=" + f.state,
		}})
	case path == "sys/wrapping/unwrap":
		inner, ok := f.wrapped[token]
		if !ok {
			reply(w, 400, `{"errors":["wrapping token is not valid or does not exist"]}`)
			return
		}
		delete(f.wrapped, token)
		encode(w, inner)
	case !f.tokens[token]:
		reply(w, 403, `{"errors":["permission denied"]}`)
	case path == "auth/token/lookup-self":
		encode(w, map[string]any{"data": map[string]any{"display_name": "token", "entity_id": "e-1", "ttl": f.ttl, "renewable": true, "policies": []string{"app"}, "expire_time": f.now().Add(time.Hour), "issue_time": f.now()}})
	case path == "auth/token/renew-self":
		a := f.auth()
		a["client_token"] = token
		encode(w, map[string]any{"auth": a})
	case path == "auth/token/revoke-self":
		delete(f.tokens, token)
		w.WriteHeader(204)
	case path == "sys/capabilities-self":
		encode(w, map[string]any{"data": map[string]any{"turso/creds/app": []string{"read"}}})
	case path == "turso/creds/app":
		f.answer(w, r, map[string]any{"lease_id": "turso/creds/app/x", "lease_duration": 900, "data": f.creds(r)})
	default:
		reply(w, 404, fmt.Sprintf(`{"errors":["no handler for route %q. route entry not found."]}`, path))
	}
}

func (f *fakeBao) auth() map[string]any {
	f.made++
	token := fmt.Sprintf("planted-made-%d", f.made)
	f.tokens[token] = true
	return map[string]any{"client_token": token, "entity_id": "e-1", "lease_duration": f.ttl, "renewable": true}
}

func (f *fakeBao) creds(r *http.Request) map[string]any {
	now := f.now().Unix()
	claims := map[string]any{"id": "id-app", "a": "rw", "iat": now, "exp": now + 900}
	if r.URL.Query().Get("access") == "ro" {
		claims["a"] = "ro"
	}
	var ttl int64
	if _, err := fmt.Sscan(r.URL.Query().Get("ttl"), &ttl); err == nil {
		claims["exp"] = now + ttl
	}
	var perm []any
	for _, text := range r.URL.Query()["permissions"] {
		p, err := provider.ParsePermission(text)
		if err != nil {
			f.t.Error(err)
		}
		perm = append(perm, map[string]any{"t": p.Tables, "a": p.Actions})
	}
	if perm != nil {
		claims["perm"] = perm
	}
	if f.claims != nil {
		f.claims(claims)
	}
	data := map[string]any{"token": fakeJWT(`{"alg":"EdDSA","typ":"JWT"}`, claims), "database": "app", "database_id": "id-app", "url": databaseURL}
	if f.change != nil {
		f.change(data)
	}
	return data
}

// answer wraps the response if the request asks for that.
func (f *fakeBao) answer(w http.ResponseWriter, r *http.Request, body map[string]any) {
	if r.Header.Get("X-Vault-Wrap-TTL") == "" {
		encode(w, body)
		return
	}
	token := fmt.Sprintf("planted-wrapping-%d", len(f.requests))
	f.wrapped[token] = body
	encode(w, map[string]any{"wrap_info": map[string]any{"token": token, "ttl": 60}})
}

func encode(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) }

func reply(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func fakeJWT(header string, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	segment := base64.RawURLEncoding.EncodeToString
	return segment([]byte(header)) + "." + segment(payload) + "." + segment([]byte("signature"))
}

// paths returns the requests since the last call, without their queries.
func (f *fakeBao) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var paths []string
	for _, request := range f.requests {
		path, _, _ := strings.Cut(strings.Replace(request, "/v1/", "", 1), "?")
		paths = append(paths, path)
	}
	f.requests = nil
	return paths
}

func (f *fakeBao) wantPaths(want ...string) {
	f.t.Helper()
	if got := f.paths(); !slices.Equal(got, want) {
		f.t.Errorf("requests %q, want %q", got, want)
	}
}
