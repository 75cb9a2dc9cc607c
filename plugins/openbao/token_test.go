package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

var app = provider.TokenRequest{Target: provider.Target{URL: databaseURL}}

// assertion returns another provider's assertion.
func assertion(kind provider.AssertionKind) *provider.Assertion {
	return &provider.Assertion{Kind: kind, Value: provider.NewSecret("planted-assertion")}
}

func of(subject, organization string) *provider.Claims {
	c := &provider.Claims{Issuer: "https://clerk.example", Subject: subject}
	if organization != "" {
		c.Organization = &provider.Organization{ID: organization}
	}
	return c
}

func TestTokenInAnothersName(t *testing.T) {
	f := newFakeBao(t)
	p := f.configured(nil)
	req := app
	req.Assertion, req.Claims = assertion(provider.AssertionJWT), of("user_1", "org_1")
	resp, err := p.Token(t.Context(), req)
	if err != nil || resp.Credential == nil || resp.DatabaseID != "id-app" || resp.Token.Expires.IsZero() {
		t.Fatalf("Token = %+v, %v", resp, err)
	}
	f.wantPaths("POST auth/jwt/login", "GET turso/creds/app")
	if f.bodies[0] != `{"jwt":"planted-assertion","role":"people"}` {
		t.Errorf("body %s", f.bodies[0])
	}
	// The next token uses the existing login.
	req.Credential = resp.Credential
	if resp, err = p.Token(t.Context(), req); err != nil || resp.Credential != nil {
		t.Fatalf("Token = %+v, %v", resp, err)
	}
	f.wantPaths("GET turso/creds/app")
	// Another person, or another organization of theirs, needs a new login.
	for _, claims := range []*provider.Claims{of("user_2", "org_1"), of("user_1", "org_2"), of("user_1", "")} {
		other := req
		other.Claims = claims
		if resp, err := p.Token(t.Context(), other); err != nil || resp.Credential == nil {
			t.Fatalf("Token = %+v, %v", resp, err)
		}
		f.wantPaths("POST auth/jwt/login", "GET turso/creds/app")
	}
	// So does another server.
	for key, value := range map[string]string{keyAuthRole: "others", keyNamespace: "team", keyAuthMount: "jwt-2"} {
		if _, err := f.configured(map[string]string{key: value}).Token(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if got := f.paths(); len(got) != 2 || !strings.HasSuffix(got[0], "/login") {
			t.Errorf("%s: requests %q", key, got)
		}
	}
	req.Assertion = assertion(provider.AssertionClerkAPIKey)
	if _, err := p.Token(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	f.wantPaths("POST auth/clerk/login", "GET turso/creds/app")
	if got := f.bodies[len(f.bodies)-2]; got != `{"api_key":"planted-assertion","role":"people"}` {
		t.Errorf("body %s", got)
	}
	req.Assertion = assertion("saml")
	if _, err := p.Token(t.Context(), req); !errors.Is(err, provider.ErrPermission) {
		t.Errorf("Token = %v", err)
	}
}

func TestLoginIsRenewedOrDoneAnew(t *testing.T) {
	f := newFakeBao(t)
	p := f.configured(nil)
	now := time.Now()
	p.now, f.now = func() time.Time { return now }, func() time.Time { return now }
	req := app
	req.Assertion, req.Claims = assertion(provider.AssertionJWT), of("user_1", "")
	token := func(want ...string) {
		t.Helper()
		resp, err := p.Token(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Credential != nil {
			req.Credential = resp.Credential
		}
		f.wantPaths(want...)
	}
	token("POST auth/jwt/login", "GET turso/creds/app")
	now = now.Add(30 * time.Minute)
	token("GET turso/creds/app")
	now = now.Add(15 * time.Minute) // a quarter is left
	token("POST auth/token/renew-self", "GET turso/creds/app")
	now = now.Add(59*time.Minute + 55*time.Second)
	token("POST auth/jwt/login", "GET turso/creds/app")
	// A revoked token: OpenBao answers as for one without a policy.
	clear(f.tokens)
	token("GET turso/creds/app", "GET auth/token/lookup-self", "POST auth/jwt/login", "GET turso/creds/app")
	// A login that can't be renewed is repeated before it expires.
	f.fail["POST /v1/auth/token/renew-self"] = func(w http.ResponseWriter, _ *http.Request) { reply(w, 400, `{"errors":["lease is not renewable"]}`) }
	now = now.Add(50 * time.Minute)
	token("POST auth/token/renew-self", "POST auth/jwt/login", "GET turso/creds/app")
}

func TestTokenOfTheEnvironment(t *testing.T) {
	f := newFakeBao(t)
	if _, err := f.configured(map[string]string{keyToken: "planted-token\n"}).Token(t.Context(), app); err != nil {
		t.Error(err)
	}
	p := f.configured(nil)
	if err := os.WriteFile(p.tokenFile, []byte("planted-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Token(t.Context(), app); err != nil {
		t.Error(err)
	}
	_, err := f.configured(map[string]string{keyToken: "planted-wrong"}).Token(t.Context(), app)
	if !errors.Is(err, provider.ErrRejected) || strings.Contains(err.Error(), "planted") {
		t.Errorf("Token = %v", err)
	}
	if _, err := f.configured(nil).Token(t.Context(), app); !errors.Is(err, provider.ErrNoCredential) || !strings.Contains(provider.Hint(err), "BAO_TOKEN") {
		t.Errorf("Token = %v", err)
	}
}

func TestWhatIsAskedForIsNarrowed(t *testing.T) {
	f := newFakeBao(t)
	p := f.configured(map[string]string{keyToken: "planted-token", keyNamespace: "team/a", keyWrapTTL: "1m"})
	read, err := provider.ParsePermission("notes:data_read,data_add")
	if err != nil {
		t.Fatal(err)
	}
	all, err := provider.ParsePermission("all:data_read")
	if err != nil {
		t.Fatal(err)
	}
	req := provider.TokenRequest{
		Target: provider.Target{URL: databaseURL, DatabaseID: "id-app"}, Access: provider.AccessReadOnly,
		Permissions: []provider.Permission{read, all}, Lifetime: 90 * time.Second,
	}
	resp, err := p.Token(t.Context(), req)
	if err != nil || resp.Token.Expires.Sub(resp.Token.Issued) != 90*time.Second {
		t.Fatalf("Token = %+v, %v", resp, err)
	}
	if got := f.requests[0]; got != "GET /v1/turso/creds/app?access=ro&permissions=notes%3Adata_read%2Cdata_add&permissions=all%3Adata_read&ttl=90" {
		t.Errorf("request %s", got)
	}
	if h := f.headers[0]; h.Get("X-Vault-Namespace") != "team/a/" || h.Get("X-Vault-Wrap-TTL") != "1m0s" || h.Get("X-Vault-Request") != "true" {
		t.Errorf("headers %v", h)
	}
	f.wantPaths("GET turso/creds/app", "POST sys/wrapping/unwrap")
}

func TestTokenThatDoesNotFitIsThrownAway(t *testing.T) {
	for name, test := range map[string]struct {
		claims, change func(map[string]any)
		target         string
		want           string
	}{
		"another database in the token": {claims: func(c map[string]any) { c["id"] = "id-other" }, want: "not for the database"},
		"a group's token":               {claims: func(c map[string]any) { c["gid"] = "g" }, want: "more than the database"},
		"more access":                   {claims: func(c map[string]any) { c["a"] = "rw" }, want: "grants rw"},
		"no end":                        {claims: func(c map[string]any) { delete(c, "exp") }, want: "does not expire"},
		"no permissions":                {claims: func(c map[string]any) { delete(c, "perm") }, want: "more than the permissions"},
		"longer":                        {claims: func(c map[string]any) { c["exp"] = time.Now().Unix() + 5000 }, want: "lives longer"},
		"no JWT":                        {change: func(d map[string]any) { d["token"] = "planted" }, want: "no signed JWT"},
		"no token":                      {change: func(d map[string]any) { delete(d, "token") }, want: "no token"},
		"no database":                   {change: func(d map[string]any) { delete(d, "database_id") }, want: "no database_id"},
		"a role for a group":            {change: func(d map[string]any) { d["group"] = "default" }, want: "whole group"},
		"a role for another database":   {change: func(d map[string]any) { d["database_id"], d["url"] = "id-x", "libsql://x.turso.io" }, want: "is for the database app at libsql://x.turso.io, and the profile's is " + databaseURL},
		"another database's id":         {target: "id-other", want: "and the profile's is"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeBao(t)
			f.claims, f.change = test.claims, test.change
			req := app
			req.Access, req.Target.DatabaseID, req.Lifetime = provider.AccessReadOnly, test.target, time.Minute
			req.Permissions = []provider.Permission{{Tables: []string{"notes"}, Actions: []provider.Action{"data_read"}}}
			resp, err := f.configured(map[string]string{keyToken: "planted-token"}).Token(t.Context(), req)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") || !resp.Token.Value.IsZero() {
				t.Errorf("Token = %v, want %q", err, test.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	const creds, login = "GET /v1/turso/creds/app", "POST /v1/auth/jwt/login"
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if code == 429 {
				w.Header().Set("Retry-After", "3")
			}
			reply(w, code, body)
		}
	}
	for name, test := range map[string]struct {
		request string
		with    http.HandlerFunc
		kind    error
		text    string
		hint    string
	}{
		"no policy":      {creds, status(403, `{"errors":["1 error occurred:\n\t* permission denied\n\n"]}`), provider.ErrPermission, "no policy of this sign-in allows to read turso/creds/app", `path "turso/creds/app" { capabilities = ["read"] }`},
		"not the role's": {creds, status(403, `{"errors":["the role app allows less than was asked for: access ro"]}`), provider.ErrPermission, "allows less than was asked for", ""},
		"no role":        {creds, status(400, `{"errors":["there is no role app"]}`), provider.ErrConfig, "there is no role app", ""},
		"no database":    {creds, status(404, `{"errors":["turso: get the database: could not find database with name [x] (status 404)"]}`), provider.ErrConfig, "could not find database", ""},
		"not mounted":    {creds, status(404, `{"errors":["no handler for route \"turso/creds/app\". route entry not found."]}`), provider.ErrConfig, "nothing is mounted at turso ", "bao secrets list"},
		"sealed":         {creds, status(503, `{"errors":["OpenBao is sealed"]}`), provider.ErrUnavailable, "is sealed", "bao operator unseal"},
		"no leader":      {creds, status(500, `{"errors":["local node not active but active cluster node not found"]}`), provider.ErrUnavailable, "active cluster node not found", ""},
		"Turso is down":  {creds, status(503, `{"errors":["turso: get the database: service unavailable (status 503)"]}`), provider.ErrUnavailable, "turso: get the database", ""},
		"its API token":  {creds, status(502, `{"errors":["turso: create a database token: invalid api token (status 401)"]}`), provider.ErrUnavailable, "invalid api token", ""},
		"rate limited":   {creds, status(429, `{"errors":["request path \"turso/creds/app\": rate limit quota exceeded"]}`), provider.ErrUnavailable, "rate limit quota exceeded", "rate limit quota"},
		"behind":         {creds, status(412, `{"errors":["required index state not present"]}`), provider.ErrUnavailable, "required index state", ""},
		"a web page":     {creds, status(200, `<html>`), provider.ErrUnavailable, "is not OpenBao's JSON", "address"},
		"wrong audience": {login, status(400, `{"errors":["error validating token: invalid audience (aud) claim: audience claim does not match any bound audience"]}`), provider.ErrPermission, "invalid audience", "bound_audiences"},
		"no auth role":   {login, status(400, `{"errors":["role \"people\" could not be found"]}`), provider.ErrPermission, "could not be found", "auth/jwt"},
		"not mounted at": {login, status(404, `{"errors":["no handler for route \"auth/jwt/login\". route entry not found."]}`), provider.ErrConfig, "nothing is mounted at auth/jwt ", "bao auth list"},
		"key not taken":  {login, status(403, `{"errors":["the role doesn't take this API key"]}`), provider.ErrPermission, "doesn't take this API key", ""},
		"no token":       {login, status(200, `{"auth":null}`), provider.ErrUnavailable, "the answer has no token", ""},
		"a long way home": {creds, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/v1/x", http.StatusTemporaryRedirect)
		}, provider.ErrUnavailable, "status 307", "standby"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeBao(t)
			f.fail[test.request] = test.with
			req := app
			req.Assertion, req.Claims = assertion(provider.AssertionJWT), of("user_1", "")
			_, err := f.configured(nil).Token(t.Context(), req)
			if provider.Kind(err) != test.kind || !strings.Contains(err.Error(), test.text) || !strings.Contains(provider.Hint(err), test.hint) {
				t.Fatalf("Token = %v (%v, %s), want %q (%v, %s)", err, provider.Kind(err), provider.Hint(err), test.text, test.kind, test.hint)
			}
			if text := err.Error() + provider.Hint(err); strings.Contains(text, "planted") || strings.ContainsAny(text, "\n\t") {
				t.Errorf("error %q", text)
			}
			if code := provider.RetryAfter(err); (name == "rate limited") != (code == 3*time.Second) {
				t.Errorf("retry after %v", code)
			}
		})
	}
}

// TestStandby: a node that doesn't forward names the active one, which gets the token.
func TestStandby(t *testing.T) {
	f, standby := newFakeBao(t), newFakeBao(t)
	standby.fail["GET /v1/turso/creds/app"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, f.server.URL+r.URL.String(), http.StatusTemporaryRedirect)
	}
	p := standby.configured(map[string]string{keyToken: "planted-token"})
	req := app
	req.Access = provider.AccessReadOnly
	if _, err := p.Token(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.requests, []string{"GET /v1/turso/creds/app?access=ro"}) {
		t.Errorf("requests %q", f.requests)
	}
}

// always is a RoundTripper with one answer for everything.
type always struct {
	status int
	body   string
}

func (a always) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"data":{"token":"eyJhbGciOiJFZERTQSJ9.eyJpZCI6ImlkIn0.x","database_id":"id","url":"libsql://app-acme.turso.io"}}`)
	f.Add(200, `{"wrap_info":{"token":"x"}}`)
	f.Add(403, `{"errors":["a\u001b\nb"]}`)
	f.Add(503, `{"errors":[null]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		p := newProvider("test")
		values := provider.Settings{keyRole: provider.NewSecret("app"), keyMount: provider.NewSecret("turso"), keyToken: provider.NewSecret("planted-token"), keyAddress: provider.NewSecret("http://127.0.0.1:1")}
		if _, err := p.Configure(t.Context(), values); err != nil {
			t.Fatal(err)
		}
		p.http = &http.Client{Transport: always{status, body}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := p.Token(t.Context(), app)
		if err != nil && (strings.Contains(err.Error(), "planted") || strings.ContainsAny(err.Error(), "\n\x1b")) {
			t.Fatalf("error %q", err)
		}
		if err == nil && (resp.Token.Expires.IsZero() || resp.DatabaseID == "") {
			t.Fatalf("%+v is taken", resp)
		}
	})
}
