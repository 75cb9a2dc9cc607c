package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// Names of the ways to sign in.
const (
	methodBrowser = "browser"
	methodDevice  = "device"
	methodMachine = "client-credentials"
)

// auth0Provider implements the contract for one tenant. Its fields are set by Configure
// and not changed after it.
type auth0Provider struct {
	version   string
	transport http.RoundTripper
	now       func() time.Time

	settings settings
	// people is the native application, machines the one that signs in by itself.
	people, machines *oauth.Client
	keys             *keyset.Set
	// access takes the access tokens of either dialect; identity takes ID tokens.
	access, identity *jwks.Verifier

	mu sync.Mutex // guards what follows
	// held are the tokens of the My Organization API that later calls may reuse.
	held map[string]heldToken
}

func newProvider(version string) *auth0Provider {
	return &auth0Provider{version: version, transport: httpclient.Wrap(httpclient.New()), now: time.Now}
}

// Describe implements provider.Provider.
func (p *auth0Provider) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name:     "auth0",
		Version:  p.version,
		Summary:  "Sign in with Auth0; database tokens are access tokens of an API, with claims that an Action adds",
		Homepage: "https://auth0.com",
		Fields:   fields(),
		Methods: []provider.Method{
			{Name: methodBrowser, Doc: "in the browser, with PKCE on one of a few fixed ports", Interaction: provider.InteractionBrowser},
			{Name: methodDevice, Doc: "on another device, by a code; not with organizations", Interaction: provider.InteractionDevice},
			{Name: methodMachine, Doc: "as an application, by its secret or private key: for CI and servers", Interaction: provider.InteractionTerminal},
		},
		Assertions: []provider.AssertionKind{provider.AssertionJWT},
	}, nil
}

// Configure implements provider.Provider. Auth0's endpoints are the same at every
// domain: nothing has to be discovered.
func (p *auth0Provider) Configure(_ context.Context, values provider.Settings) ([]provider.Note, error) {
	s, err := parseSettings(values)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: p.transport}
	keys, err := keyset.New(s.keySetURL(), keyset.Options{Client: client, Now: p.now})
	if err != nil {
		return nil, err
	}
	policy := jwks.Policy{Issuer: s.issuer(), Algorithms: algorithms, Now: p.now}
	if p.access, err = jwks.NewVerifier(keys, policy); err != nil {
		return nil, err
	}
	policy.AllowIDToken = true
	if p.identity, err = jwks.NewVerifier(keys, policy); err != nil {
		return nil, err
	}
	metadata := oauth.Metadata{
		Issuer:                s.issuer(),
		AuthorizationEndpoint: s.base + "/authorize",
		TokenEndpoint:         s.base + "/oauth/token",
		DeviceEndpoint:        s.base + "/oauth/device/code",
		RevocationEndpoint:    s.base + "/oauth/revoke",
		EndSessionEndpoint:    s.base + "/v2/logout",
		KeySetURL:             s.keySetURL(),
		TokenAuthMethods:      []string{"client_secret_post"},
	}
	people := oauth.Client{Name: "auth0", ID: s.clientID, Metadata: metadata, HTTP: client, Now: p.now}
	machines := people
	machines.ID, machines.Secret, machines.Key = s.machineClientID, s.secret, s.key
	p.settings, p.keys, p.people, p.machines = s, keys, &people, &machines
	p.held = map[string]heldToken{}
	return nil, nil
}

func (p *auth0Provider) configured() error {
	if p.people == nil {
		return &provider.Error{Kind: provider.ErrConfig, Message: "auth0: not configured", Hint: "set domain and audience"}
	}
	return nil
}

// Interface guards
var (
	_ provider.Provider        = (*auth0Provider)(nil)
	_ provider.Identity        = (*auth0Provider)(nil)
	_ provider.BrowserSession  = (*auth0Provider)(nil)
	_ provider.TokenSource     = (*auth0Provider)(nil)
	_ provider.AssertionSource = (*auth0Provider)(nil)
	_ provider.SetupGuide      = (*auth0Provider)(nil)
	_ provider.Fixer           = (*auth0Provider)(nil)
	_ provider.Team            = (*auth0Provider)(nil)
)
