package main

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/auth0"
)

// Every exchange replaces the refresh token; using an earlier one ends the whole sign-in.
func TestRotation(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	signedIn, _ := b.login(p, request(""))
	first := signedIn.Credential
	second, err := p.Token(t.Context(), provider.TokenRequest{Credential: &first, Target: target})
	if err != nil || second.Credential == nil || second.Credential.Data.Equal(first.Data) || second.Token.Value.IsZero() {
		t.Fatalf("Token = %+v, %v", second, err)
	}
	if second.Credential.Subject != first.Subject || !second.Credential.Issued.Equal(first.Issued) {
		t.Errorf("it became %+v, was %+v", second.Credential, first)
	}
	third, err := p.Refresh(t.Context(), *second.Credential)
	if err != nil || third.Data.Equal(second.Credential.Data) {
		t.Fatal(err)
	}
	// Even if the token is invalid, the replaced credential is returned.
	b.with(auth0.FaultActionMissing)
	failed, err := p.Token(t.Context(), provider.TokenRequest{Credential: &third, Target: target})
	fails(t, "no Action", err, provider.ErrPermission, "post-login")
	if failed.Credential == nil {
		t.Fatal("the next credential is lost")
	}
	b.with()
	if _, err := p.Token(t.Context(), provider.TokenRequest{Credential: failed.Credential, Target: target}); err != nil {
		t.Error(err)
	}
	_, err = p.Token(t.Context(), provider.TokenRequest{Credential: &first, Target: target})
	fails(t, "a used one", err, provider.ErrRejected, "run zen login")
}

// narrow is an issuer that refuses scopes that were not granted.
type narrow struct{ http.RoundTripper }

func (n narrow) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"error":"invalid_scope","error_description":"Requested scope was not granted"}`)),
	}, nil
}

func TestScopeOfLater(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	signedIn, _ := b.login(p, request(""))
	p.transport = narrow{}
	if _, err := p.Configure(t.Context(), b.values()); err != nil {
		t.Fatal(err)
	}
	_, err := p.Token(t.Context(), provider.TokenRequest{Credential: &signedIn.Credential, Target: target})
	fails(t, "a scope of later", err, provider.ErrConfig, "write_scope", "run zen login")
}

// The provider doesn't repeat a request whose response was lost: the host decides.
func TestLostAnswer(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	signedIn, _ := b.login(p, request(""))
	before := b.requests("/oauth/token")
	b.with(auth0.FaultAnswerLost)
	response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &signedIn.Credential, Target: target})
	fails(t, "lost", err, provider.ErrUnavailable, "renew the sign-in")
	if got := b.requests("/oauth/token") - before; got != 1 || response.Credential != nil {
		t.Errorf("%d requests, %+v", got, response)
	}
}

func TestAccess(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	signedIn, _ := b.login(p, request(""))
	credential := signedIn.Credential
	for _, access := range []provider.Access{provider.AccessReadOnly, provider.AccessReadWrite, provider.AccessReadOnly} {
		response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target, Access: access})
		if err != nil {
			t.Fatal(err)
		}
		credential = *response.Credential
		if claims, err := p.Verify(t.Context(), response.Token.Value); err != nil || claims.Database.Access != access {
			t.Errorf("asked for %s, got %+v, %v", access, claims.Database, err)
		}
	}
	// Without the scope the Action decides the access, and a token with more than
	// requested is refused.
	plain := newBench(t, func(o *auth0.Options) { o.Action = auth0.Claims(map[string]any{"id": testDatabase, "a": "rw"}) })
	q := plain.provider(keyWriteScope, "")
	signedIn, _ = plain.login(q, request(""))
	_, err := q.Token(t.Context(), provider.TokenRequest{Credential: &signedIn.Credential, Target: target, Access: provider.AccessReadOnly})
	fails(t, "read-only", err, provider.ErrPermission, "grants rw where ro was asked for", "set write_scope")
	other := provider.Target{URL: "libsql://other.turso.io", DatabaseID: "0eb771dd-0000-4000-8000-000000000000"}
	again, _ := plain.login(q, request(""))
	_, err = q.Token(t.Context(), provider.TokenRequest{Credential: &again.Credential, Target: other})
	fails(t, "another database", err, provider.ErrPermission, "is for database "+testDatabase, "trigger post-login")
}

// Both dialects and both algorithms are accepted if configured.
func TestDialects(t *testing.T) {
	for name, api := range map[string]auth0.API{
		dialectRFC9068: {Identifier: testAudience, RFC9068: true, Scopes: []string{"db:write"}},
		dialectAuth0:   {Identifier: testAudience, Algorithm: auth0.PS256, Scopes: []string{"db:write"}},
	} {
		b := newBench(t, func(o *auth0.Options) { o.APIs = []auth0.API{api} })
		p := b.provider(keyDialect, name+"_authz")
		signedIn, _ := b.login(p, request(""))
		claims, err := p.Verify(t.Context(), signedIn.Token.Value)
		if err != nil {
			t.Fatal(err)
		}
		if (name == dialectRFC9068) != (claims.Type == "at+jwt") {
			t.Errorf("%s: type %q", name, claims.Type)
		}
		// The type alone is not enough: the token needs Turso's claims.
		b.with(auth0.FaultActionMissing)
		_, err = p.Token(t.Context(), provider.TokenRequest{Credential: &signedIn.Credential, Target: target})
		fails(t, name, err, provider.ErrPermission, "no Action")
	}
}

func TestRevoke(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	signedIn, _ := b.login(p, request(""))
	if err := p.Revoke(t.Context(), signedIn.Credential); err != nil {
		t.Fatal(err)
	}
	_, err := p.Refresh(t.Context(), signedIn.Credential)
	fails(t, "after a sign-out", err, provider.ErrRejected, "has ended at Auth0")
	if err := p.Revoke(t.Context(), signedIn.Credential); err != nil {
		t.Errorf("again: %v", err)
	}
}

// A job without a store has its secret in its settings.
func TestMachineWithoutASignIn(t *testing.T) {
	b := newBench(t)
	p := b.provider(keyClientID, "", keyClientSecret, testSecret)
	response, err := p.Token(t.Context(), provider.TokenRequest{Target: target, Access: provider.AccessReadOnly})
	if err != nil || response.Credential != nil {
		t.Fatalf("Token = %+v, %v", response, err)
	}
	if claims, err := p.Verify(t.Context(), response.Token.Value); err != nil || claims.Database.Access != provider.AccessReadOnly {
		t.Errorf("Verify = %+v, %v", claims.Database, err)
	}
}

// A credential is sent only to the tenant and application that issued it.
func TestForeignCredentials(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	signedIn, _ := b.login(p, request(""))
	before := b.requests("/oauth/token")
	for name, q := range map[string]*auth0Provider{
		"another tenant": b.provider(keyDomain, "acme.eu.auth0.com"), "another application": b.provider(keyClientID, testTeams),
	} {
		_, err := q.Token(t.Context(), provider.TokenRequest{Credential: &signedIn.Credential, Target: target})
		fails(t, name, err, provider.ErrNoCredential, "another tenant or application")
	}
	for _, data := range []string{"", "x", "{}", `{"v":2}`, `{"v":1,"application":"` + fingerprint(p.people) + `"}`, `{"v":1,"application":"` + fingerprint(p.people) + `","refresh":"a b"}`} {
		_, err := p.Token(t.Context(), provider.TokenRequest{Credential: &provider.Credential{Data: provider.NewSecret(data)}, Target: target})
		fails(t, data, err, provider.ErrNoCredential)
	}
	_, err := p.Token(t.Context(), provider.TokenRequest{Target: target})
	fails(t, "nobody", err, provider.ErrNoCredential, "not signed in")
	if got := b.requests("/oauth/token"); got != before {
		t.Errorf("%d requests were made", got-before)
	}
}

// An assertion is the ID token, or the access token if that is requested.
func TestAssertion(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	signedIn, _ := b.login(p, request(""))
	credential := signedIn.Credential
	for audience, want := range map[string]string{"": testClient, testClient: testClient, testAudience: testAudience} {
		assertion, renewed, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: credential, Audience: audience, Kinds: []provider.AssertionKind{"x", provider.AssertionJWT}})
		if err != nil || renewed == nil || assertion.Kind != provider.AssertionJWT || time.Until(assertion.Expires) <= 0 {
			t.Fatalf("%q: Assertion = %+v, %v", audience, assertion, err)
		}
		credential = *renewed
		claims, err := p.identity.Verify(t.Context(), assertion.Value)
		if err != nil || !slices.Contains(claims.Audience, want) {
			t.Errorf("%q: for %q, %v", audience, claims.Audience, err)
		}
		if want == testClient && claims.Database != nil {
			t.Error("an ID token has database claims")
		}
	}
	_, _, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: credential, Audience: "https://vault.example"})
	fails(t, "another audience", err, provider.ErrPermission, "https://vault.example")
	_, _, err = p.Assertion(t.Context(), provider.AssertionRequest{Credential: credential, Kinds: []provider.AssertionKind{provider.AssertionClerkAPIKey}})
	fails(t, "another kind", err, provider.ErrPermission)

	machine := b.provider(keyClientSecret, testSecret)
	got, _ := b.login(machine, request(methodMachine))
	assertion, renewed, err := machine.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential})
	if claims, verifyErr := machine.Verify(t.Context(), assertion.Value); err != nil || verifyErr != nil || renewed != nil || !strings.HasSuffix(claims.Subject, "@clients") {
		t.Errorf("a machine's: %+v, %v, %v", claims, err, verifyErr)
	}
}
