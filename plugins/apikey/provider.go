package main

import (
	"context"
	"net/http"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
)

const methodKey = "key"

// apiKey is the provider. Its fields are set by Configure and not changed after it.
type apiKey struct {
	version   string
	transport http.RoundTripper
	now       func() time.Time

	settings settings
	// backend is nil without a secret key; then frontend and verifier may be, too.
	backend  *clerk.Backend
	frontend *clerk.Frontend
	verifier *jwks.Verifier
}

func newProvider(version string) *apiKey {
	return &apiKey{version: version, transport: httpclient.Wrap(httpclient.New()), now: time.Now}
}

// Describe implements provider.Provider.
func (p *apiKey) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name:     "apikey",
		Version:  p.version,
		Summary:  "Sign in with a Clerk API key, on servers and in CI",
		Homepage: "https://clerk.com/docs/guides/development/machine-auth/api-keys",
		Fields:   fields(),
		Methods: []provider.Method{{
			Name: methodKey, Doc: "with a Clerk API key from " + keyVariable + ", or typed in",
			Interaction: provider.InteractionTerminal,
		}},
		Assertions: []provider.AssertionKind{provider.AssertionClerkAPIKey},
	}, nil
}

// Configure implements provider.Provider.
func (p *apiKey) Configure(_ context.Context, values provider.Settings) ([]provider.Note, error) {
	parsed, err := parseSettings(values)
	if err != nil {
		return nil, err
	}
	p.settings, p.backend, p.frontend, p.verifier = parsed, nil, nil, nil
	client := httpclient.Over(p.transport)
	if i := parsed.instance; i != nil {
		keys, err := keyset.New(i.KeySetURL(), keyset.Options{Client: client, Now: p.now})
		if err != nil {
			return nil, err
		}
		policy := i.Policy()
		policy.Now = p.now
		if p.verifier, err = jwks.NewVerifier(keys, policy); err != nil {
			return nil, err
		}
		p.frontend = clerk.NewFrontend(*i, client, p.userAgent())
	}
	if parsed.secretKey.IsZero() {
		return nil, nil
	}
	p.backend = clerk.NewBackend(parsed.backendURL, parsed.secretKey, client, p.userAgent())
	return []provider.Note{{
		Text: secretKeyVariable + " is set: anyone who reads it can act as any user of this Clerk instance; it is for servers of your own, never for CI",
	}}, nil
}

func (p *apiKey) userAgent() string { return "zen-provider-apikey/" + p.version }

// Interface guards
var (
	_ provider.Provider        = (*apiKey)(nil)
	_ provider.Identity        = (*apiKey)(nil)
	_ provider.TokenSource     = (*apiKey)(nil)
	_ provider.AssertionSource = (*apiKey)(nil)
)
