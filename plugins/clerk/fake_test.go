package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

const (
	testTicket   = "planted-ticket-eyJhbGciOiJSUzI1NiJ9"
	testSession  = "sess_2abcDEF"
	testUser     = "user_37jA"
	testEmail    = "alice@example.test"
	testDatabase = "33057661-834e-4891-9b48-802d425d02b9"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// fakeClerk is the part of a Frontend API that the provider uses. It checks strictly what
// a native client sends, and returns a new client JWT with every response.
type fakeClerk struct {
	*httptest.Server
	t *testing.T
	// agent is the prefix of the User-Agent.
	agent string

	mu sync.Mutex // guards the fields below
	// clientJWT is the only good one; "" means no client yet.
	clientJWT string
	minted    int
	status    string
	signIn    string // status of the sign-in
	used      bool   // the ticket
	active    string // organization
	ended     int
	calls     []string
	templates map[string]map[string]any
	// answer replaces the answer of a path, once it is not nil.
	answer map[string]http.HandlerFunc
	// change edits the claims and the header of a token before it is signed.
	change func(header, claims map[string]any)
}

func newFakeClerk(t *testing.T) *fakeClerk {
	f := &fakeClerk{
		t: t, agent: "zen-provider-clerk/1.2.3", status: "active", signIn: "complete", answer: map[string]http.HandlerFunc{},
		templates: map[string]map[string]any{
			"turso":    {"id": testDatabase, "a": "rw", "perm": []any{}, "rid": "r-1"},
			"turso-ro": {"id": testDatabase, "a": "ro", "perm": []any{}, "rid": "r-2"},
		},
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeClerk) host() string { return strings.TrimPrefix(f.URL, "http://") }

func (f *fakeClerk) publishableKey() string {
	return "pk_test_" + base64.RawStdEncoding.EncodeToString([]byte(f.host()+"$"))
}

// provider returns a configured provider of the instance.
func (f *fakeClerk) provider(settings ...string) *clerkProvider {
	f.t.Helper()
	values := provider.Settings{
		keyPublishableKey:   provider.NewSecret(f.publishableKey()),
		keyBridgeURL:        provider.NewSecret("http://127.0.0.1:1/cli?app=notes"),
		keyReadOnlyTemplate: provider.NewSecret("turso-ro"),
	}
	for i := 0; i < len(settings); i += 2 {
		values[settings[i]] = provider.NewSecret(settings[i+1])
	}
	p := newProvider("1.2.3")
	if _, err := p.Configure(f.t.Context(), values); err != nil {
		f.t.Fatal(err)
	}
	return p
}

// on replaces the answers of a path.
func (f *fakeClerk) on(path string, status int, header http.Header, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer[path] = func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func (f *fakeClerk) called(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, call := range f.calls {
		if call == path {
			n++
		}
	}
	return n
}

// token signs claims over the ones that every token has.
func (f *fakeClerk) token(category string, claims map[string]any) string {
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": "ins_1", "cat": category}
	now := time.Now().Unix()
	all := map[string]any{"iss": f.URL, "sub": testUser, "iat": now, "nbf": now - 5, "exp": now + 60, "jti": "1"}
	maps.Copy(all, claims)
	if f.change != nil {
		f.change(header, all)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(all))
	token.Header = header
	text, err := token.SignedString(testKey())
	if err != nil {
		f.t.Error(err)
	}
	return text
}

func (f *fakeClerk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	native := strings.HasPrefix(r.URL.Path, "/v1/")
	if native {
		f.checkNative(r)
	}
	if answer := f.answer[r.URL.Path]; answer != nil {
		answer(w, r)
		return
	}
	if !native {
		f.keySet(w)
		return
	}
	sent := r.Header.Get("Authorization")
	if sent != f.clientJWT && sent != "" {
		clerkError(w, http.StatusUnauthorized, "signed_out")
		return
	}
	session, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/client/sessions/"), "/")
	switch {
	case r.URL.Path == "/v1/client/sign_ins":
		f.createSignIn(w, r)
	case r.URL.Path == "/v1/client" && r.Method == http.MethodGet:
		f.rotate(w)
		f.write(w, map[string]any{"response": f.client(), "client": nil})
	case session != testSession || f.status != "active":
		f.rotate(w)
		clerkError(w, http.StatusNotFound, "resource_not_found")
	case rest == "tokens":
		f.rotate(w)
		f.write(w, map[string]any{"jwt": f.token(clerk.CategorySession, map[string]any{
			"sid": session, "v": 2, "sts": "active", "o": map[string]any{"id": "org_1", "slg": "acme", "rol": "admin"},
		})})
	case rest == "end":
		f.rotate(w)
		f.status = "ended"
		f.ended++
		f.write(w, map[string]any{"response": map[string]any{"id": session, "status": "ended"}})
	case rest == "touch":
		f.active = r.PostFormValue("active_organization_id")
		f.rotate(w)
		f.write(w, map[string]any{"response": map[string]any{"id": session}})
	default:
		f.rotate(w)
		template, found := f.templates[strings.TrimPrefix(rest, "tokens/")]
		if !found {
			clerkError(w, http.StatusNotFound, "resource_not_found")
			return
		}
		f.write(w, map[string]any{"jwt": f.token(clerk.CategoryTemplate, template)})
	}
}

func (f *fakeClerk) checkNative(r *http.Request) {
	want := url.Values{"_is_native": {"1"}, "__clerk_api_version": {"2026-05-12"}}
	if got := r.URL.Query(); fmt.Sprint(got) != fmt.Sprint(want) {
		f.t.Errorf("%s: query %v, want %v", r.URL.Path, got, want)
	}
	if values, sent := r.Header["Authorization"]; !sent || len(values) != 1 {
		f.t.Errorf("%s: Authorization %d times", r.URL.Path, len(values))
	}
	if r.Header.Get("Origin") != "" || r.Header.Get("Cookie") != "" || !strings.HasPrefix(r.Header.Get("User-Agent"), f.agent) {
		f.t.Errorf("%s: headers of a browser, or not of this provider", r.URL.Path)
	}
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		f.t.Errorf("%s: content type %q", r.URL.Path, r.Header.Get("Content-Type"))
	}
}

func (f *fakeClerk) createSignIn(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || len(r.PostForm) != 2 || r.PostForm.Get("strategy") != "ticket" {
		clerkError(w, http.StatusUnprocessableEntity, "form_param_unknown")
		return
	}
	if r.PostForm.Get("ticket") != testTicket {
		clerkError(w, http.StatusBadRequest, "ticket_invalid_code")
		return
	}
	if f.used {
		clerkError(w, http.StatusBadRequest, "sign_in_token_already_used_code")
		return
	}
	f.used = true
	f.rotate(w)
	created := any(testSession)
	if f.signIn != "complete" {
		created = nil
	}
	f.write(w, map[string]any{
		"response": map[string]any{"object": "sign_in_attempt", "status": f.signIn, "created_session_id": created},
		"client":   f.client(),
	})
}

func (f *fakeClerk) client() any {
	if f.clientJWT == "" {
		return nil
	}
	sessions := []any{}
	if f.status == "active" {
		sessions = append(sessions, map[string]any{
			"id": testSession, "status": "active", "expire_at": time.Now().Add(7 * 24 * time.Hour).UnixMilli(),
			"public_user_data": map[string]any{"identifier": testEmail},
		})
	}
	return map[string]any{"object": "client", "sessions": sessions}
}

func (f *fakeClerk) rotate(w http.ResponseWriter) {
	f.minted++
	f.clientJWT = fmt.Sprintf("planted-client-jwt-%d", f.minted)
	w.Header().Set("Authorization", f.clientJWT)
}

func (f *fakeClerk) keySet(w http.ResponseWriter) {
	public := testKey().PublicKey
	b64 := base64.RawURLEncoding.EncodeToString
	f.write(w, map[string]any{"keys": []any{map[string]any{
		"use": "sig", "kty": "RSA", "kid": "ins_1", "alg": "RS256",
		"n": b64(public.N.Bytes()), "e": b64(big.NewInt(int64(public.E)).Bytes()),
	}}})
}

func (f *fakeClerk) write(w http.ResponseWriter, body any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		f.t.Error(err)
	}
}

func clerkError(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errors":[{"message":"not today","long_message":"%s %s","code":"%s"}],"clerk_trace_id":"trace1"}`, testTicket, "planted-client-jwt", code)
}

// fakeHost is zen with a person in front of it; browser is called with the address that
// is opened.
type fakeHost struct {
	browser func(address *url.URL)
	store   func(provider.SignIn) error

	mu       sync.Mutex
	code     string
	shown    []string
	stored   []provider.SignIn
	browsers sync.WaitGroup
}

func (h *fakeHost) OpenURL(_ context.Context, address, code string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.code = code
	h.shown = append(h.shown, address)
	h.mu.Unlock()
	if h.browser != nil {
		h.browsers.Go(func() { h.browser(u) })
	}
	return nil
}

func (h *fakeHost) Progress(_ context.Context, text string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shown = append(h.shown, text)
	return nil
}

func (h *fakeHost) Store(_ context.Context, result provider.SignIn) error {
	if h.store != nil {
		if err := h.store(result); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stored = append(h.stored, result)
	return nil
}

func (h *fakeHost) ShowCode(context.Context, string, string, time.Time) error {
	return errors.ErrUnsupported
}

func (h *fakeHost) Ask(context.Context, string) (string, error) { return "", errors.ErrUnsupported }

func (h *fakeHost) AskSecret(context.Context, string) (provider.Secret, error) {
	return provider.Secret{}, errors.ErrUnsupported
}
