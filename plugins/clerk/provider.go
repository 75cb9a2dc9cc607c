package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
)

const loginHint = "run zen login"

// Names of the ways to sign in.
const (
	methodBridge   = "bridge"
	methodRedirect = "redirect"
	methodOAuth    = "oauth"
	methodDevice   = "device"
	methodEmail    = "email"
)

// clerkProvider implements the contract for one Clerk instance. Its fields are set
// by Configure and not changed after it, but for the issuer.
type clerkProvider struct {
	version   string
	transport http.RoundTripper
	now       func() time.Time
	// wait waits for a rate limit to pass.
	wait func(context.Context, time.Duration) error

	settings settings
	client   *http.Client
	frontend *clerk.Frontend
	verifier *jwks.Verifier
	// issued is the verifier for tokens passed on to the host, which verifies the
	// signature.
	issued *jwks.Verifier
	keys   *keyset.Set

	mu   sync.Mutex // guards what follows
	seen *issuer
}

func newProvider(version string) *clerkProvider {
	return &clerkProvider{version: version, transport: httpclient.Wrap(httpclient.New()), now: time.Now, wait: wait}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Describe implements provider.Provider.
func (p *clerkProvider) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name:     "clerk",
		Version:  p.version,
		Summary:  "Sign in with Clerk; database tokens from a JWT template that Turso verifies by JWKS",
		Homepage: "https://clerk.com",
		Fields:   fields(),
		Methods: []provider.Method{
			{
				Name: methodBridge, Doc: "in the browser, by a page of your app that hands over a one-time ticket",
				Interaction: provider.InteractionBrowser,
			},
			{
				Name: methodRedirect, Doc: "in the browser, by a page of your app that hands over a token; it can't be refreshed",
				Interaction: provider.InteractionBrowser,
			},
			{
				Name: methodEmail, Doc: "in the terminal, by a code that comes by e-mail, and a second factor where the account has one",
				Interaction: provider.InteractionTerminal,
			},
			{
				Name: methodOAuth, Doc: "in the browser, by an OAuth application with PKCE; another provider issues the tokens",
				Interaction: provider.InteractionBrowser, IdentityOnly: true,
			},
			{
				Name: methodDevice, Doc: "on another device, by a code, where the instance has that; another provider issues the tokens",
				Interaction: provider.InteractionDevice, IdentityOnly: true,
			},
		},
		Assertions: []provider.AssertionKind{provider.AssertionJWT},
	}, nil
}

// Configure implements provider.Provider.
func (p *clerkProvider) Configure(_ context.Context, values provider.Settings) ([]provider.Note, error) {
	parsed, err := parseSettings(values)
	if err != nil {
		return nil, err
	}
	client := httpclient.Over(p.transport)
	keys, err := keyset.New(parsed.instance.KeySetURL(), keyset.Options{Client: client, Now: p.now})
	if err != nil {
		return nil, err
	}
	accepted := parsed.instance.Policy()
	accepted.Now = p.now
	verifier, err := jwks.NewVerifier(keys, accepted)
	if err != nil {
		return nil, err
	}
	p.settings, p.keys, p.client = parsed, keys, client
	p.verifier, p.issued = verifier, verifier.ExceptSignature()
	p.frontend = clerk.NewFrontend(parsed.instance, client, p.userAgent())
	return nil, nil
}

func (p *clerkProvider) userAgent() string { return "zen-provider-clerk/" + p.version }

// Verify implements provider.Identity.
func (p *clerkProvider) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	if err := p.configured(); err != nil {
		return provider.Claims{}, err
	}
	return p.settings.instance.Verify(ctx, p.verifier, token)
}

func (p *clerkProvider) configured() error {
	if p.frontend == nil {
		return &provider.Error{Kind: provider.ErrConfig, Message: "clerk: not configured", Hint: "set publishable_key"}
	}
	return nil
}

// Interface guards
var (
	_ provider.Provider    = (*clerkProvider)(nil)
	_ provider.Identity    = (*clerkProvider)(nil)
	_ provider.TokenSource = (*clerkProvider)(nil)

	_ provider.AssertionSource = (*clerkProvider)(nil)
)
