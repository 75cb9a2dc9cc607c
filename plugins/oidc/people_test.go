package main

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/oidc"
)

func TestLoginInBrowser(t *testing.T) {
	b := newBench(t)
	p := configured(t, b.people())
	got, h := b.login(p, "")
	if got.Credential.Subject != "alice@example.test" || got.Claims.Issuer != b.OIDC.Address() || got.Token != nil {
		t.Errorf("signed in as %+v", got)
	}
	u, err := url.Parse(h.opened[0])
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("scope") != "openid profile email offline_access" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Has("access_type") {
		t.Errorf("the authorization request has %v", q)
	}
	if redirect, err := url.Parse(q.Get("redirect_uri")); err != nil || redirect.Hostname() != "127.0.0.1" || redirect.Port() == "" {
		t.Errorf("redirect_uri = %q", q.Get("redirect_uri"))
	}
	if !strings.HasSuffix(h.ended, "/done") {
		t.Errorf("the browser ended at %s", h.ended)
	}

	assertion, renewed, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential, Audience: "zen", Kinds: []provider.AssertionKind{provider.AssertionJWT}})
	claims, verifyErr := p.Verify(t.Context(), assertion.Value)
	if err != nil || verifyErr != nil || renewed != nil || claims.Subject != got.Claims.Subject || !slices.Contains(claims.Audience, "zen") {
		t.Errorf("the assertion has %+v, %v, %v", claims, err, verifyErr)
	}
	_, _, err = p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential, Audience: testAudience})
	fails(t, "to somebody else", err, provider.ErrPermission, testAudience, "client id accepted")
	_, _, err = p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential, Kinds: []provider.AssertionKind{provider.AssertionClerkAPIKey}})
	fails(t, "another kind", err, provider.ErrPermission)

	if same, err := p.Refresh(t.Context(), got.Credential); err != nil || !same.Data.Equal(got.Credential.Data) {
		t.Errorf("refresh: %v", err)
	}
	b.with(oidc.FaultRefreshRevoked)
	_, err = p.Refresh(t.Context(), got.Credential)
	fails(t, "ended by an administrator", err, provider.ErrRejected, "run zen login")
	b.with()
	if err := p.Revoke(t.Context(), got.Credential); err != nil {
		t.Fatal(err)
	}
	_, err = p.Refresh(t.Context(), got.Credential)
	fails(t, "after a sign-out", err, provider.ErrRejected, "run zen login")
}

func TestLoginOnAnotherDevice(t *testing.T) {
	b := newBench(t)
	p := configured(t, b.people())
	got, h := b.login(p, methodDevice)
	if got.Credential.Subject != "alice@example.test" || len(h.told) != 1 || !strings.Contains(h.told[0], b.OIDC.Address()) {
		t.Errorf("login = %+v; told %q", got, h.told)
	}
	b.with(oidc.FaultDeviceOff)
	fresh := configured(t, b.people())
	err := fresh.Login(t.Context(), provider.LoginRequest{Method: methodDevice, Interactive: true}, &host{t: t})
	fails(t, "none there", err, provider.ErrConfig, "device_authorization_endpoint")
	for credential, want := range map[*provider.Credential]provider.Severity{&got.Credential: provider.SeverityWarn, nil: provider.SeveritySkipped} {
		if f := fresh.checkDevice(t.Context(), credential); f.Severity != want {
			t.Errorf("want %s: %+v", want, f)
		}
	}
}

func TestLoginFails(t *testing.T) {
	b := newBench(t)
	for fault, want := range map[string]struct {
		kind  error
		words []string
	}{
		oidc.FaultUnavailable:     {provider.ErrUnavailable, []string{"503"}},
		oidc.FaultIssuerMismatch:  {provider.ErrConfig, []string{"of the issuer", "letter by letter"}},
		oidc.FaultJWKSUnavailable: {provider.ErrUnavailable, []string{"key set"}},
		oidc.FaultKeyUnpublished:  {provider.ErrTokenInvalid, []string{"of that kid"}},
		oidc.FaultWrongNonce:      {provider.ErrTokenInvalid, []string{"nonce"}},
		oidc.FaultWrongAudience:   {provider.ErrTokenInvalid, []string{"another application"}},
		oidc.FaultExpired:         {provider.ErrTokenExpired, []string{"expired"}},
		oidc.FaultRedirect:        {provider.ErrUnavailable, []string{"redirect"}},
		oidc.FaultHuge:            {provider.ErrUnavailable, []string{"1 MiB"}},
	} {
		t.Run(fault, func(t *testing.T) {
			b.with(fault)
			defer b.with()
			h := &host{t: t, user: "alice"}
			err := configured(t, b.people()).Login(t.Context(), provider.LoginRequest{Interactive: true}, h)
			h.visits.Wait()
			fails(t, fault, err, want.kind, want.words...)
			if len(h.stored) != 0 {
				t.Error("the failed sign-in was stored")
			}
		})
	}
}

// Without a refresh token a sign-in lasts as long as its ID token, and an unverified e-mail
// address is not used as the account's name.
func TestLoginWithoutMuch(t *testing.T) {
	b := newBench(t)
	b.with(oidc.FaultNoRefreshToken, oidc.FaultUnverifiedEmail)
	p := configured(t, b.people())
	got, _ := b.login(p, "")
	if got.Credential.Expires.IsZero() || !strings.Contains(got.Credential.Detail, "no refresh token") || got.Credential.Subject != "alice" {
		t.Errorf("stored %+v", got.Credential)
	}
	if assertion, _, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential}); err != nil || assertion.Value.IsZero() {
		t.Error(err)
	}
	if err := p.Revoke(t.Context(), got.Credential); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("revoke: %v", err)
	}
	_, err := p.Check(t.Context(), provider.CheckRequest{Credential: &got.Credential}, func(f provider.Finding) error {
		if f.ID == "sign-in" && (f.Severity != provider.SeverityWarn || !strings.Contains(f.Text, "can't be renewed")) {
			t.Errorf("%+v", f)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// An ID token that has expired since the sign-in is not blamed on this machine's clock.
func TestEndedIDTokenIsNotTheClock(t *testing.T) {
	b := newBench(t)
	b.with(oidc.FaultNoRefreshToken)
	got, _ := b.login(configured(t, b.people()), "")
	later := newProvider("test")
	later.now = func() time.Time { return got.Credential.Expires.Add(9 * time.Hour) }
	if _, err := later.Configure(t.Context(), b.people()); err != nil {
		t.Fatal(err)
	}
	_, _, err := later.Assertion(t.Context(), provider.AssertionRequest{Credential: got.Credential})
	if !errors.Is(err, provider.ErrTokenExpired) || strings.Contains(err.Error(), "clock") || strings.Contains(provider.Hint(err), "clock") {
		t.Errorf("it says %v, hint %q", err, provider.Hint(err))
	}
}

func TestLoginIsRefusedBeforeABrowserOpens(t *testing.T) {
	b := newBench(t)
	for name, test := range map[string]struct {
		settings provider.Settings
		req      provider.LoginRequest
		kind     error
		words    []string
	}{
		"no such method":  {b.people(), provider.LoginRequest{Method: "magic", Interactive: true}, provider.ErrConfig, []string{`"magic" is not browser, device or workload`}},
		"nobody there":    {b.people(), provider.LoginRequest{}, provider.ErrNoCredential, []string{"--method workload"}},
		"nobody anywhere": {b.people(), provider.LoginRequest{Method: methodDevice}, provider.ErrNoCredential, []string{"--method workload"}},
		"an organization": {b.people(), provider.LoginRequest{Organization: "acme", Interactive: true}, provider.ErrConfig, []string{"no organizations"}},
		"no issuer":       {b.people(keyIssuer, ""), provider.LoginRequest{Interactive: true}, provider.ErrConfig, []string{"issuer: it is not set"}},
		"no client id":    {b.people(keyClientID, ""), provider.LoginRequest{Interactive: true}, provider.ErrConfig, []string{"client_id: it is not set"}},
		"the wrong kind":  {b.people(), provider.LoginRequest{Interactive: true, AssertionKinds: []provider.AssertionKind{provider.AssertionClerkAPIKey}}, provider.ErrPermission, []string{"only in a JWT"}},
		"to another":      {b.people(), provider.LoginRequest{Interactive: true, Audience: testAudience}, provider.ErrPermission, []string{testAudience}},
		"no workload":     {b.people(), provider.LoginRequest{Method: methodWorkload}, provider.ErrNoCredential, []string{"id-token: write", gitLabTokenInAJob}},
	} {
		h := &host{t: t}
		err := configured(t, test.settings).Login(t.Context(), test.req, h)
		fails(t, name, err, test.kind, test.words...)
		if len(h.opened) != 0 {
			t.Errorf("%s: opened %q", name, h.opened)
		}
	}
}

func TestForeignCredentials(t *testing.T) {
	b := newBench(t)
	p := configured(t, b.people())
	got, _ := b.login(p, "")
	for name, q := range map[string]*oidcProvider{
		"another issuer":      configured(t, b.people(keyIssuer, "https://login.example.com")),
		"another application": configured(t, b.people(keyClientID, "other")),
	} {
		_, err := q.Refresh(t.Context(), got.Credential)
		fails(t, name, err, provider.ErrNoCredential, "another issuer or application")
	}
	for _, data := range []string{"", "x", "{}", `{"v":2}`, `{"v":1,"issuer":"` + p.fingerprint() + `"}`} {
		_, err := p.Refresh(t.Context(), provider.Credential{Data: provider.NewSecret(data)})
		fails(t, data, err, provider.ErrNoCredential)
	}
	_, err := p.Refresh(t.Context(), provider.Credential{Data: provider.NewSecret(`{"v":1,"workload":"github"}`)})
	fails(t, "a workload's, elsewhere", err, provider.ErrNoCredential, "nothing around")
}

func TestGoogleIsPeculiar(t *testing.T) {
	if got := peculiar("https://accounts.google.com").Encode(); got != "access_type=offline&prompt=consent" {
		t.Error(got)
	}
}
