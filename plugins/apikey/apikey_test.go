package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/clerk"
)

// E1: Clerk verifies an API key, and the result has its owner, expiry and rights.
func TestE1VerifyAPIKey(t *testing.T) {
	b := newBench(t)
	id, secret := b.key(clerk.APIKey{Scopes: []string{"db:read", "reports"}, Lifetime: time.Hour})
	got := b.signIn(b.provider(), secret, provider.LoginRequest{})
	c := got.Claims
	if c.Subject != b.alice || c.ID != id || c.Issuer != b.Issuer() || c.Database.Access != provider.AccessReadOnly || !c.Expires.Equal(got.Credential.Expires) {
		t.Errorf("claims %+v, database %+v", c, c.Database)
	}
	if !strings.Contains(got.Credential.Subject, b.alice) || !strings.Contains(got.Credential.Detail, "Clerk verifies the key") || got.Token != nil {
		t.Errorf("credential %+v", got.Credential)
	}
	if left := c.Expires.Sub(b.now()); left > time.Hour || left < time.Hour-time.Second {
		t.Errorf("the credential expires in %v", left)
	}
}

// E2: an API key leads to a JWT that a database accepts.
func TestE2APIKeyToJWT(t *testing.T) {
	b := newBench(t)
	_, secret := b.key(write())
	p := b.provider()
	got := b.signIn(p, secret, provider.LoginRequest{Target: target})
	if got.Token == nil || !strings.Contains(got.Credential.Detail, "session of its user") || b.sessions() != 1 {
		t.Fatalf("signIn = %+v, %d sessions", got.Credential, b.sessions())
	}
	for _, access := range []provider.Access{provider.AccessReadWrite, provider.AccessReadOnly} {
		resp, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target, Access: access})
		if err != nil {
			t.Fatal(err)
		}
		claims, err := p.Verify(t.Context(), resp.Token.Value)
		if err != nil || claims.Subject != b.alice || claims.Database.DatabaseID != databaseID || claims.Database.Access != access {
			t.Errorf("%s: Verify = %+v, %v", access, claims, err)
		}
		if resp.Token.Verification == nil || resp.Token.Verification.Issuer != b.Issuer() {
			t.Errorf("Token = %+v", resp.Token)
		}
		if resp.Credential != nil {
			got.Credential = *resp.Credential
		}
	}
	if b.sessions() != 1 {
		t.Errorf("one sign-in made %d sessions, want 1", b.sessions())
	}
	if err := p.Revoke(t.Context(), got.Credential); err != nil || b.sessions() != 0 {
		t.Errorf("after the sign-out: %v, %d sessions", err, b.sessions())
	}
}

// A session that was ended at Clerk is replaced by a new one, as long as the key is
// valid.
func TestSessionIsMadeAnew(t *testing.T) {
	b := newBench(t)
	_, secret := b.key(write())
	p := b.provider()
	got := b.signIn(p, secret, provider.LoginRequest{Target: target})
	for _, id := range b.SessionIDs(b.alice) {
		if err := b.RevokeSession(id); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target})
	if err != nil || resp.Credential == nil || b.sessions() != 1 {
		t.Errorf("Token = %v, %d sessions", err, b.sessions())
	}
}

// The key is verified again each time. Once Clerk no longer accepts it, its session is
// ended, and the error says what happened to the key.
func TestKeyThatEnded(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(b *bench, id string)
		want string
	}{
		"revoked": {func(b *bench, id string) { _ = b.RevokeAPIKey(id) }, "was revoked"},
		"expired": {func(b *bench, _ string) { b.after(2 * time.Hour) }, "has expired at "},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			id, secret := b.key(clerk.APIKey{Scopes: []string{"db:write"}, Lifetime: time.Hour})
			p := b.provider()
			got := b.signIn(p, secret, provider.LoginRequest{Target: target})
			test.end(b, id)
			resp, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target})
			if !errors.Is(err, provider.ErrRejected) || !strings.Contains(err.Error(), "the API key deploy of "+b.alice+" "+test.want) || provider.Hint(err) == "" {
				t.Errorf("Token = %v (%s)", err, provider.Hint(err))
			}
			if b.sessions() != 0 || resp.Credential == nil || strings.Contains(resp.Credential.Data.Reveal(), "sess_") {
				t.Errorf("%d sessions are still active, and the credential is %v", b.sessions(), resp.Credential)
			}
			if _, err := p.Refresh(t.Context(), got.Credential); !errors.Is(err, provider.ErrRejected) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("refresh: %v", err)
			}
		})
	}
}

// Users can create keys for themselves, without scopes and claims.
func TestKeysOfPeopleThemselvesAreRefused(t *testing.T) {
	b := newBench(t)
	_, secret := b.key(clerk.APIKey{})
	err := b.provider().Login(t.Context(), provider.LoginRequest{Target: target}, &person{answer: secret})
	if !errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), "neither scopes nor claims") || b.sessions() != 0 {
		t.Errorf("Login = %v, %d sessions", err, b.sessions())
	}
	// This is what Clerk lets users create.
	_, empty := b.key(clerk.APIKey{Claims: []byte("{}")})
	if err := b.provider().Login(t.Context(), provider.LoginRequest{}, &person{answer: empty}); !errors.Is(err, provider.ErrPermission) {
		t.Errorf("with empty claims: %v", err)
	}
}

func TestRightsOfAKeyNarrow(t *testing.T) {
	b := newBench(t)
	for name, test := range map[string]struct {
		key         clerk.APIKey
		access      provider.Access
		permissions []provider.Permission
		want        provider.Access
		err         string
	}{
		"read scope, rw asked":     {key: clerk.APIKey{Scopes: []string{"db:read"}}, want: "ro"},
		"write scope, ro asked":    {key: write(), access: "ro", want: "ro"},
		"scopes without a meaning": {key: clerk.APIKey{Scopes: []string{"reports"}}, want: "rw"},
		"claim a":                  {key: clerk.APIKey{Scopes: []string{"db:write"}, Claims: []byte(`{"a":"ro"}`)}, want: "ro"},
		"this database":            {key: clerk.APIKey{Claims: []byte(`{"a":"rw","id":"` + databaseID + `"}`)}, want: "rw"},
		"another database":         {key: clerk.APIKey{Claims: []byte(`{"a":"rw","id":"other"}`)}, err: "is for the database other"},
		"odd a":                    {key: clerk.APIKey{Claims: []byte(`{"a":"admin"}`)}, err: `a is "admin"`},
		"a that is no text":        {key: clerk.APIKey{Claims: []byte(`{"a":["rw"]}`)}, err: "id or a is not a text"},
		"perm without actions":     {key: clerk.APIKey{Claims: []byte(`{"perm":[{"t":["notes"]}]}`)}, err: "without tables or actions"},
		"perm of no table":         {key: clerk.APIKey{Claims: []byte(`{"perm":[{"t":[],"a":["data_read"]}]}`)}, err: "without tables or actions"},
		"unknown action":           {key: clerk.APIKey{Claims: []byte(`{"perm":[{"a":["data_everything"]}]}`)}, err: "data_everything"},
		"perm that no token has":   {key: clerk.APIKey{Claims: []byte(`{"perm":[{"t":["notes"],"a":["data_read"]}]}`)}, err: "more than the permissions"},
		"nothing in common": {
			key:         clerk.APIKey{Claims: []byte(`{"perm":[{"t":["notes"],"a":["data_read"]}]}`)},
			permissions: []provider.Permission{{Tables: []string{"users"}, Actions: []provider.Action{"data_read"}}}, err: "allows nothing of what",
		},
		"claims that are no object": {key: clerk.APIKey{Scopes: []string{"db:read"}, Claims: []byte(`["x"]`)}, want: "ro"},
	} {
		t.Run(name, func(t *testing.T) {
			_, secret := b.key(test.key)
			p := b.provider(keyKey, secret)
			resp, err := p.Token(t.Context(), provider.TokenRequest{Target: target, Access: test.access, Permissions: test.permissions})
			if test.err != "" {
				if !errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), test.err) {
					t.Errorf("Token = %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			claims, err := jwks.DecodeUnverified(resp.Token.Value)
			if err != nil || claims.Database.Access != test.want {
				t.Errorf("DecodeUnverified = %+v, %v", claims.Database, err)
			}
			if resp.Credential != nil || b.sessions() != 0 {
				t.Errorf("nothing is stored, but %d sessions are still active", b.sessions())
			}
		})
	}
}

func TestKeysOfOrganizations(t *testing.T) {
	b := newBench(t)
	org, err := b.AddOrganization(clerk.Organization{Name: "Initech", Slug: "initech"})
	if err != nil {
		t.Fatal(err)
	}
	_, secret := b.key(clerk.APIKey{Subject: org, Claims: []byte(`{"a":"ro","perm":[{"a":["data_read"]}]}`)})
	p := b.provider()
	got := b.signIn(p, secret, provider.LoginRequest{})
	d := got.Claims.Database
	if got.Claims.Organization == nil || got.Claims.Organization.ID != org || d.Access != provider.AccessReadOnly || len(d.Permissions) != 1 || d.Permissions[0].Tables != nil {
		t.Errorf("signIn = %+v, %+v", got.Claims, d)
	}
	// Only users have sessions.
	_, err = p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target})
	if !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), "ZEN_TOKEN_PROVIDER") {
		t.Errorf("Token = %v (%s)", err, provider.Hint(err))
	}
	_, none := b.key(clerk.APIKey{Subject: org, Scopes: []string{"reports"}})
	if err := p.Login(t.Context(), provider.LoginRequest{}, &person{answer: none}); !errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), "says nothing") {
		t.Errorf("without rights: %v", err)
	}
}

// A key's rights are those at the sign-in, because another provider received these
// claims.
func TestChangedRightsNeedANewSignIn(t *testing.T) {
	b := newBench(t)
	_, secret := b.key(write())
	p := b.provider()
	got := b.signIn(p, secret, provider.LoginRequest{})
	got.Credential.Data = provider.NewSecret(strings.Replace(got.Credential.Data.Reveal(), `"rights":"`, `"rights":"0`, 1))
	if _, err := p.Refresh(t.Context(), got.Credential); !errors.Is(err, provider.ErrRejected) || !strings.Contains(err.Error(), "were changed") {
		t.Errorf("Refresh = %v", err)
	}
}

// If another provider has Clerk verify the key, no Clerk secret is needed here.
func TestAssertion(t *testing.T) {
	b := newBench(t)
	_, secret := b.key(write())
	p := b.provider(keySecretKey, "", keyPublishableKey, "")
	kinds := []provider.AssertionKind{provider.AssertionJWT, provider.AssertionClerkAPIKey}
	got := b.signIn(p, secret, provider.LoginRequest{Audience: "openbao", AssertionKinds: kinds})
	if got.Claims.Subject != "" || !strings.Contains(got.Credential.Detail, "shown the key") {
		t.Errorf("signIn = %+v %+v", got.Credential, got.Claims)
	}
	a, next, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential, Audience: "openbao", Kinds: kinds})
	if err != nil || next != nil || a.Kind != provider.AssertionClerkAPIKey || a.Value.Reveal() != secret {
		t.Errorf("Assertion = %+v, %v", a, err)
	}
	if _, _, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential, Kinds: kinds[:1]}); !errors.Is(err, provider.ErrPermission) {
		t.Errorf("as a JWT: %v", err)
	}
	if _, err := p.Refresh(t.Context(), got.Credential); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("refresh: %v", err)
	}
	if _, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target}); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("token: %v", err)
	}
	// Without a token provider or a secret key, nothing could verify the key.
	if err := p.Login(t.Context(), provider.LoginRequest{}, &person{answer: secret}); !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), "openbao") {
		t.Errorf("without a provider that verifies the key: %v", err)
	}
}

func TestKeyOfTheEnvironmentIsNotStored(t *testing.T) {
	b := newBench(t)
	_, secret := b.key(write())
	got := b.signIn(b.provider(keyKey, secret), "", provider.LoginRequest{})
	if strings.Contains(got.Credential.Data.Reveal(), secret) {
		t.Error("the key is in the credential")
	}
	_, other := b.key(write())
	for name, test := range map[string]struct{ key, want string }{
		"a key that is no longer set": {"", "is not set now"}, "another key": {other, "is another one"},
	} {
		_, err := b.provider(keyKey, test.key).Refresh(t.Context(), got.Credential)
		if !errors.Is(err, provider.ErrNoCredential) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Refresh = %v", name, err)
		}
	}
	if err := b.provider().Login(t.Context(), provider.LoginRequest{}, &person{}); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("without a person to ask: %v", err)
	}
}

func TestSessionOfAFailedSignInIsEnded(t *testing.T) {
	b := newBench(t)
	_, secret := b.key(write())
	host := &person{answer: secret, storeErr: provider.ErrTokenInvalid}
	if err := b.provider().Login(t.Context(), provider.LoginRequest{Target: target}, host); !errors.Is(err, provider.ErrTokenInvalid) || b.sessions() != 0 {
		t.Errorf("Login = %v, %d sessions", err, b.sessions())
	}
	for fault, want := range map[string]error{
		clerk.FaultTemplateEmpty: provider.ErrPermission, clerk.FaultTemplateMissing: provider.ErrConfig, clerk.FaultSecondFactor: provider.ErrRejected,
		clerk.FaultAPIKeysDisabled: provider.ErrConfig, clerk.FaultUnavailable: provider.ErrUnavailable, clerk.FaultRateLimited: provider.ErrUnavailable,
		clerk.FaultHTML: provider.ErrUnavailable, clerk.FaultNativeDisabled: provider.ErrConfig, clerk.FaultClockAhead: provider.ErrTokenInvalid,
	} {
		b.fault.Store(fault)
		err := b.provider().Login(t.Context(), provider.LoginRequest{Target: target}, &person{answer: secret})
		b.fault.Store("")
		if !errors.Is(err, want) || b.sessions() != 0 {
			t.Errorf("%s: Login = %v, want %v; %d sessions", fault, err, want, b.sessions())
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), b.SecretKey())) {
			t.Errorf("%s: a secret is in %v", fault, err)
		}
	}
}

// Clerk's JavaScript SDK calls the API key paths without a version, its Go SDK with one;
// the provider uses whichever exists.
func TestBackendWithAndWithoutAVersion(t *testing.T) {
	b := newBench(t)
	_, secret := b.key(write())
	backend, err := url.Parse(strings.TrimSuffix(b.BackendURL(), "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	var refused atomic.Int32
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(backend) }}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/api_keys") {
			refused.Add(1)
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	got := b.signIn(b.provider(keyBackendURL, front.URL), secret, provider.LoginRequest{Target: target})
	if got.Token == nil || refused.Load() == 0 {
		t.Errorf("signIn = %+v, %d calls with a version", got, refused.Load())
	}
}

func TestCheck(t *testing.T) {
	b := newBench(t)
	id, secret := b.key(clerk.APIKey{Scopes: []string{"db:write"}, Lifetime: 24 * time.Hour})
	check := func(p *apiKey) (got string) {
		_, err := p.Check(t.Context(), provider.CheckRequest{}, func(f provider.Finding) error {
			got += f.ID + " " + string(f.Severity) + "\n"
			if strings.Contains(f.Text+f.Hint+f.Cause, secret) {
				t.Errorf("the key is in %+v", f)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		return got
	}
	if got, want := check(b.provider(keyKey, secret)), "secret-key ok\napi-key warn\nnative-api ok\n"; got != want {
		t.Errorf("a key that expires tomorrow: %q", got)
	}
	if got, want := check(b.provider()), "api-key skipped\n"; got != want {
		t.Errorf("no key: %q", got)
	}
	if got, want := check(b.provider(keyKey, secret, keySecretKey, "")), "way ok\n"; got != want {
		t.Errorf("no secret key: %q", got)
	}
	if err := b.RevokeAPIKey(id); err != nil {
		t.Fatal(err)
	}
	if got, want := check(b.provider(keyKey, secret)), "secret-key ok\napi-key error\n"; got != want {
		t.Errorf("a revoked key: %q", got)
	}
}
