package main

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/clerk"
)

// oauth returns a provider with the stack's OAuth application.
func (b *bench) oauth(settings ...string) *clerkProvider {
	return b.provider(append([]string{keyOAuthClientID, clerk.DefaultOAuthClientID}, settings...)...)
}

func (b *bench) login(p *clerkProvider, req provider.LoginRequest) (provider.SignIn, *person) {
	b.t.Helper()
	h := &person{t: b.t, browses: browse.Person{User: "alice"}}
	req.Interactive = true
	err := p.Login(b.t.Context(), req, h)
	h.visits.Wait()
	if err != nil || len(h.stored) != 1 {
		b.t.Fatalf("sign in: %v (hint: %s), stored %d times; the browser ended at %s", err, provider.Hint(err), len(h.stored), h.ended)
	}
	return h.stored[0], h
}

func TestLoginByOAuth(t *testing.T) {
	b := newBench(t)
	p := b.oauth()
	got, h := b.login(p, provider.LoginRequest{})
	if got.Credential.Subject != alice || got.Claims.Subject != b.Clerk.UserID(alice) || got.Token != nil {
		t.Errorf("signed in as %+v", got)
	}
	if !strings.Contains(h.told[0], "signing in by oauth, as bridge_url is not set") {
		t.Errorf("Login printed %q", h.told)
	}
	u, err := url.Parse(h.opened[0])
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("scope") != defaultScopes || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" {
		t.Errorf("the authorization request has %v", q)
	}
	if redirect, err := url.Parse(q.Get("redirect_uri")); err != nil || redirect.Hostname() != "127.0.0.1" || redirect.Port() == "" || redirect.Path != "/callback" {
		t.Errorf("redirect_uri = %q", q.Get("redirect_uri"))
	}
	if !strings.HasSuffix(h.ended, "/done") {
		t.Errorf("the browser ended at %s", h.ended)
	}

	// Each assertion uses the next refresh token.
	credential := got.Credential
	for range 2 {
		assertion, renewed, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: credential, Audience: clerk.DefaultOAuthClientID, Kinds: []provider.AssertionKind{provider.AssertionJWT}})
		if err != nil || renewed == nil || renewed.Data.Equal(credential.Data) || assertion.Expires.IsZero() {
			t.Fatalf("states %v, %v, %v", assertion, renewed, err)
		}
		credential = *renewed
		if _, err := p.Verify(t.Context(), assertion.Value); err == nil {
			t.Error("an ID token is accepted for a database")
		}
	}
	_, _, err = p.Assertion(t.Context(), provider.AssertionRequest{Credential: credential, Audience: "https://vault.example.test"})
	fails(t, "to somebody else", err, provider.ErrPermission, "vault.example.test", "client id accepted")
	_, err = p.Refresh(t.Context(), got.Credential)
	fails(t, "with a spent refresh token", err, provider.ErrRejected, "run zen login")
	_, err = p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: b.target()})
	fails(t, "a token for a database", err, provider.ErrConfig, "token_provider")

	for _, fault := range []string{clerk.FaultOAuthRevoked, clerk.FaultUserBanned} {
		b.with(fault)
		_, err = p.Refresh(t.Context(), credential)
		fails(t, fault, err, provider.ErrRejected, "invalid_grant", "run zen login")
	}
	b.with()
	if err := p.Revoke(t.Context(), credential); err != nil {
		t.Fatal(err)
	}
	_, err = p.Refresh(t.Context(), credential)
	fails(t, "after a sign-out", err, provider.ErrRejected, "run zen login")
}

func TestOAuthOrganization(t *testing.T) {
	b := newBench(t)
	p := b.oauth()
	got, h := b.login(p, provider.LoginRequest{Organization: "acme"})
	if !strings.Contains(h.opened[0], url.QueryEscape(scopeOrganization)) || got.Claims.Organization == nil || !strings.Contains(got.Credential.Detail, "organization acme") {
		t.Fatalf("%+v by %s", got, h.opened[0])
	}
	renewed, err := p.Refresh(t.Context(), got.Credential)
	if err != nil {
		t.Fatal(err)
	}
	stranger := &person{t: t, browses: browse.Person{User: "alice"}}
	err = p.Login(t.Context(), provider.LoginRequest{Organization: "nobodys", Interactive: true}, stranger)
	stranger.visits.Wait()
	fails(t, "not a member", err, provider.ErrPermission, "nobodys", "pick it")
	if len(stranger.stored) != 0 {
		t.Error("the failed sign-in was stored")
	}
	if err := p.Revoke(t.Context(), renewed); err != nil {
		t.Error(err)
	}
}

func TestLoginOnAnotherDevice(t *testing.T) {
	b := newBench(t)
	got, h := b.login(b.oauth(), provider.LoginRequest{Method: methodDevice})
	if got.Credential.Subject != alice || !slices.ContainsFunc(h.told, func(s string) bool { return strings.Contains(s, "type ") }) {
		t.Errorf("login = %+v; told %q", got, h.told)
	}
	b.with(clerk.FaultDeviceGrantOff)
	h = &person{t: t}
	err := b.oauth().Login(t.Context(), provider.LoginRequest{Method: methodDevice, Interactive: true}, h)
	fails(t, "none there", err, provider.ErrConfig, "device_authorization_endpoint", "--method oauth")
	if len(h.told)+len(h.opened) != 0 {
		t.Errorf("told %q, opened %q", h.told, h.opened)
	}
	if f := b.look(b.oauth(), &got.Credential)["device"]; f.Severity != provider.SeverityWarn || !strings.Contains(f.Text, "does not offer the device grant") {
		t.Errorf("finding on a method that can't be repeated: %+v", f)
	}
}

func TestOAuthWithoutARefreshToken(t *testing.T) {
	b := newBench(t)
	p := b.oauth(keyOAuthScopes, "openid email")
	got, _ := b.login(p, provider.LoginRequest{Method: methodOAuth})
	if got.Credential.Expires.IsZero() || !strings.Contains(got.Credential.Detail, "no refresh token") {
		t.Errorf("stored %+v", got.Credential)
	}
	if assertion, renewed, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential}); err != nil || renewed != nil || assertion.Value.IsZero() {
		t.Error(err)
	}
}

func TestForeignGrants(t *testing.T) {
	b := newBench(t)
	got, _ := b.login(b.oauth(), provider.LoginRequest{})
	_, err := b.oauth(keyOAuthClientID, "another").Refresh(t.Context(), got.Credential)
	fails(t, "of another application", err, provider.ErrNoCredential, "another OAuth application")
	f := newFakeClerk(t)
	_, err = f.provider(keyOAuthClientID, clerk.DefaultOAuthClientID).Refresh(t.Context(), got.Credential)
	fails(t, "of another instance", err, provider.ErrNoCredential, "another Clerk instance")
}

func TestCheckOAuth(t *testing.T) {
	b := newBench(t)
	finding := func(p *clerkProvider) provider.Finding { return findings(t, p)["oauth"] }
	if got := finding(b.oauth()); got.Severity != provider.SeverityOK || !strings.Contains(got.Text, "offers the device grant") {
		t.Errorf("finding = %+v", got)
	}
	for name, p := range map[string]*clerkProvider{"unknown": b.oauth(keyOAuthClientID, "nobodys"), "scope": b.oauth(keyOAuthScopes, "openid magic")} {
		if got := finding(p); got.Severity != provider.SeverityError || got.Hint == "" {
			t.Errorf("%s: finding = %+v", name, got)
		}
	}
	b.with(clerk.FaultRedirectMismatch)
	if got := finding(b.oauth()); got.Severity != provider.SeverityError || !strings.Contains(got.Text, "http://127.0.0.1/callback") {
		t.Errorf("finding = %+v", got)
	}
}

// A sign-in through an OAuth application is checked, whichever provider issues the
// tokens.
func TestCheckGrant(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct {
		fault    string
		login    provider.LoginRequest
		settings []string
		id       string
		severity provider.Severity
		words    string
	}{
		{"", provider.LoginRequest{}, nil, "sign-in", provider.SeverityOK, alice},
		{"", provider.LoginRequest{}, []string{keyOAuthScopes, "openid email"}, "sign-in", provider.SeverityWarn, "no refresh token"},
		{clerk.FaultOAuthRevoked, provider.LoginRequest{}, nil, "sign-in", provider.SeverityError, "invalid_grant"},
		{clerk.FaultSatellite, provider.LoginRequest{}, nil, "sign-in", provider.SeverityError, "satellite"},
		{clerk.FaultOrganizationLeft, provider.LoginRequest{Organization: "acme"}, nil, "sign-in", provider.SeverityError, "not in any more"},
		{clerk.FaultDeviceGrantOff, provider.LoginRequest{}, nil, "sign-in", provider.SeverityOK, alice},
	} {
		got, _ := b.login(b.oauth(test.settings...), test.login)
		if test.fault != "" {
			b.with(test.fault)
		}
		before := got.Credential.Data
		f := b.look(b.oauth(test.settings...), &got.Credential)[test.id]
		b.with()
		if f.Severity != test.severity || !strings.Contains(f.Text, test.words) || f.Severity != provider.SeverityOK && f.Hint == "" {
			t.Errorf("%s of %+v: %+v", test.fault, test.login, f)
		}
		if test.fault == "" && test.settings == nil && got.Credential.Data.Equal(before) {
			t.Error("checking the sign-in lost the refresh token")
		}
	}
}

// The organization of a session is compared with its tokens.
func TestCheckOrganizationOfASession(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	before := b.ticket(p, alice)
	_, credential, err := p.UseOrganization(t.Context(), provider.TeamRequest{Credential: before, Organization: "acme"})
	if err != nil || credential == nil {
		t.Fatalf("UseOrganization = %+v, %v", credential, err)
	}
	if f := b.look(p, credential)["session-token"]; f.Severity != provider.SeverityOK {
		t.Errorf("as a member: %+v", f)
	}
	b.with(clerk.FaultOrganizationLeft)
	if f := b.look(p, credential)["organization"]; f.Severity != provider.SeverityError || f.Hint == "" {
		t.Errorf("after leaving the organization: %+v", f)
	}
	if f := b.look(p, &before)["organization"]; f.ID != "" {
		t.Errorf("a sign-in without an organization: %+v", f)
	}
}
