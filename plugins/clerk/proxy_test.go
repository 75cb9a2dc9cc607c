package main

import (
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// Behind the app's own proxy the issuer is the proxy's address, which is pinned exactly.
func TestBehindAProxy(t *testing.T) {
	seed := devstack.DefaultSeed()
	seed.Clerk.ProxyPath = "/__clerk"
	b := &bench{t: t, Stack: devstacktest.Start(t, devstack.Options{Seed: seed})}
	address := b.Clerk.Issuer()
	token := func(p *clerkProvider) (provider.Token, error) {
		t.Helper()
		credential := b.ticket(p, alice)
		response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: b.target()})
		return response.Token, err
	}
	p := b.provider(keyProxyURL, address+"/")
	got, err := token(p)
	if err != nil || got.Verification.Issuer != address || got.Verification.KeySetURL != address+"/.well-known/jwks.json" {
		t.Fatalf("token = %v, %+v", err, got.Verification)
	}
	if _, err := p.Verify(t.Context(), got.Value); err != nil {
		t.Error(err)
	}
	// The same goes for OAuth: metadata, ID token and grant use that address.
	signedIn, _ := b.login(b.oauth(keyProxyURL, address), provider.LoginRequest{})
	if signedIn.Claims.Issuer != address {
		t.Errorf("signed in by %s", signedIn.Claims.Issuer)
	}

	_, err = token(b.provider())
	fails(t, "without the setting", err, provider.ErrTokenInvalid, "issuer is not", "set proxy_url to that address")
	for _, other := range []string{b.URL(), strings.Replace(address, "127.0.0.1", "localhost", 1)} {
		_, err = token(b.provider(keyProxyURL, other))
		fails(t, other, err, provider.ErrTokenInvalid, "issuer is not")
	}
	// A credential stored for one address is not sent to the other.
	direct := b.ticket(b.provider(), alice)
	_, err = p.Token(t.Context(), provider.TokenRequest{Credential: &direct, Target: b.target()})
	fails(t, "a credential of the other address", err, provider.ErrNoCredential, "another Clerk instance")

	var key provider.Finding
	_, err = p.Check(t.Context(), provider.CheckRequest{}, func(f provider.Finding) error {
		if f.ID == "publishable-key" {
			key = f
		}
		return nil
	})
	if err != nil || !strings.Contains(key.Text, strings.TrimPrefix(address, "http://")) {
		t.Errorf("%+v, %v", key, err)
	}
}

// There is no sign-in at a satellite domain: Clerk refuses it, and zen names the primary
// domain.
func TestAtASatellite(t *testing.T) {
	b := newBench(t)
	b.with(clerk.FaultSatellite)
	h := b.reader(alice, "")
	err := b.provider().Login(t.Context(), provider.LoginRequest{Interactive: true, Method: methodEmail}, h)
	fails(t, "email", err, provider.ErrConfig, "satellite", "primary domain")
	b.with()
	p := b.oauth()
	got, _ := b.login(p, provider.LoginRequest{})
	b.with(clerk.FaultSatellite)
	_, err = p.Refresh(t.Context(), got.Credential)
	fails(t, "oauth", err, provider.ErrConfig, "satellite", "primary domain")
}

// A key that was replaced under the same kid is fetched: its tokens are valid, and those
// of the previous key no longer are.
func TestARotationThatKeepsTheKid(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	before := devstacktest.Token(t, b.Stack, alice, devstack.Template)
	if _, err := p.Verify(t.Context(), provider.NewSecret(before)); err != nil {
		t.Fatal(err)
	}
	if err := b.Clerk.RotateKey(clerk.Rotation{KeepSessions: true}); err != nil {
		t.Fatal(err)
	}
	after := devstacktest.Token(t, b.Stack, alice, devstack.Template)
	if _, err := p.Verify(t.Context(), provider.NewSecret(after)); err != nil {
		t.Errorf("the new key's: %v", err)
	}
	_, err := b.provider().Verify(t.Context(), provider.NewSecret(before))
	fails(t, "the old key's", err, provider.ErrTokenInvalid, "signature")
}
