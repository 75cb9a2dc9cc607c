package main

import (
	"context"
	"net/http"
	"slices"
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
	methodBrowser  = "browser"
	methodDevice   = "device"
	methodWorkload = "workload"
)

// oidcProvider implements the contract for one issuer for people and one place for
// workloads.
type oidcProvider struct {
	version   string
	transport http.RoundTripper
	now       func() time.Time

	configuredOnce bool
	settings       settings

	mu      sync.Mutex // guards issuers
	issuers map[string]*issuer
}

// issuer is an issuer whose metadata was read.
type issuer struct {
	client   *oauth.Client
	keys     *keyset.Set
	verifier *jwks.Verifier
}

func newProvider(version string) *oidcProvider {
	return &oidcProvider{version: version, transport: httpclient.New(), now: time.Now, issuers: map[string]*issuer{}}
}

// Describe implements provider.Provider.
func (p *oidcProvider) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name:     "oidc",
		Version:  p.version,
		Summary:  "Sign in at any OpenID issuer, or as a CI job or workload; another provider issues the database tokens",
		Homepage: "https://openid.net/developers/how-connect-works/",
		Fields:   fields(),
		Methods: []provider.Method{
			{Name: methodBrowser, Doc: "in the browser, with PKCE", Interaction: provider.InteractionBrowser, IdentityOnly: true},
			{Name: methodDevice, Doc: "on another device, by a code", Interaction: provider.InteractionDevice, IdentityOnly: true},
			{Name: methodWorkload, Doc: "as the job or workload that a CI system or cloud states; nothing is asked, and no secret is stored", Interaction: provider.InteractionNone, IdentityOnly: true},
		},
		Assertions: []provider.AssertionKind{provider.AssertionJWT},
	}, nil
}

// Configure implements provider.Provider.
func (p *oidcProvider) Configure(_ context.Context, values provider.Settings) ([]provider.Note, error) {
	s, err := parseSettings(values)
	if err != nil {
		return nil, err
	}
	p.settings, p.configuredOnce = s, true
	return nil, nil
}

func (p *oidcProvider) configured() error {
	if !p.configuredOnce {
		return &provider.Error{Kind: provider.ErrConfig, Message: "oidc: not configured", Hint: "set issuer and client_id"}
	}
	return nil
}

// http returns the client for issuers. Places use the bare transport: Google's metadata
// server returns its token as text/html.
func (p *oidcProvider) http() *http.Client {
	return &http.Client{Transport: httpclient.Wrap(p.transport)}
}

// at reads the metadata of an issuer once per process.
func (p *oidcProvider) at(ctx context.Context, name string) (*issuer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.issuers[name]; known != nil {
		return known, nil
	}
	metadata, err := oauth.Discover(ctx, name, oauth.DiscoverOptions{Name: "oidc", HTTP: p.http()})
	if err != nil {
		return nil, err
	}
	if metadata.KeySetURL == "" {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "oidc: the issuer " + name + " publishes no keys (jwks_uri)"}
	}
	keys, err := keyset.New(metadata.KeySetURL, keyset.Options{Client: p.http(), Now: p.now})
	if err != nil {
		return nil, err
	}
	verifier, err := jwks.NewVerifier(keys, jwks.Policy{Issuer: name, Algorithms: jwks.Algorithms(), AllowIDToken: true, Now: p.now})
	if err != nil {
		return nil, err
	}
	i := &issuer{keys: keys, verifier: verifier, client: &oauth.Client{
		Name: "oidc", ID: p.settings.clientID, Secret: p.settings.secret, Metadata: metadata, HTTP: p.http(), Now: p.now,
	}}
	p.issuers[name] = i
	return i, nil
}

// people returns the issuer at which people sign in.
func (p *oidcProvider) people(ctx context.Context) (*issuer, error) {
	for key, value := range map[string]string{keyIssuer: p.settings.issuer, keyClientID: p.settings.clientID} {
		if value == "" {
			return nil, bad(key, "people sign in at an issuer; a workload signs in with --method workload", "it is not set")
		}
	}
	return p.at(ctx, p.settings.issuer)
}

// scopes returns the configured scopes, or the usual ones that the issuer supports: one
// that doesn't know offline_access (Google) refuses it.
func (p *oidcProvider) scopes(m oauth.Metadata) []string {
	if len(p.settings.scopes) > 0 {
		return p.settings.scopes
	}
	scopes := []string{"openid", "profile", "email", "offline_access"}
	if m.Scopes == nil {
		return scopes
	}
	return slices.DeleteFunc(scopes, func(s string) bool { return s != "openid" && !slices.Contains(m.Scopes, s) })
}

// Interface guards
var (
	_ provider.Provider        = (*oidcProvider)(nil)
	_ provider.Identity        = (*oidcProvider)(nil)
	_ provider.BrowserSession  = (*oidcProvider)(nil)
	_ provider.AssertionSource = (*oidcProvider)(nil)
	_ provider.SetupGuide      = (*oidcProvider)(nil)
)
