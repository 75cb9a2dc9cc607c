package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// The settings and the variables beside ZEN_PLATFORMTOKEN__<KEY>. The API token
// has turso-cli's own variable, and so has the API.
const (
	keyAPIToken      = "api_token"
	keyOrganization  = "organization"
	keyAPIURL        = "api_url"
	keyTokenLifetime = "token_lifetime"

	ownTokenVariable   = "ZEN_PLATFORMTOKEN__API_TOKEN"
	tursoTokenVariable = "TURSO_API_TOKEN"
)

// minLifetime keeps a mistake ("1s") from requesting a token every second.
const minLifetime = time.Minute

// platform is the provider. Configure fills it once; after that only databases
// changes.
type platform struct {
	http *http.Client // nil is the default; tests set it

	apiURL       string
	apiToken     provider.Secret // from the environment; may be empty
	organization string
	lifetime     time.Duration

	mu        sync.Mutex // guards databases
	databases map[location]turso.Database
}

// Describe implements provider.Provider.
func (p *platform) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name:    "platformtoken",
		Version: plugin.Version(),
		Summary: "Database tokens minted with a Turso API token",
		Fields: []provider.Field{
			{
				Key: keyAPIToken, Type: provider.TypeString, Sensitive: true, Env: []string{tursoTokenVariable},
				Doc: "The Turso API token; turso auth api-tokens mint NAME makes one. The scopes read and db:mint-token of one group are enough.",
			},
			{
				Key: keyOrganization, Type: provider.TypeString,
				Doc: "The slug of the organization that the databases belong to; if not set, the personal one.",
			},
			{
				Key: keyAPIURL, Type: provider.TypeURL, Env: []string{"TURSO_API_BASEURL"}, Default: turso.DefaultBaseURL,
				Doc: "The base URL of the Turso Platform API.",
			},
			{
				Key: keyTokenLifetime, Type: provider.TypeDuration, Default: "1h",
				Doc: "The life of a database token, at least 1m. Turso can't take back a single one.",
			},
		},
		Methods: []provider.Method{
			{
				Name: methodAPIToken, Doc: "with a Turso API token from the environment, or typed in",
				Interaction: provider.InteractionTerminal,
			},
			{
				Name: methodBrowser, Doc: "in the browser, at Turso, which makes an API token for this machine that may mint database tokens",
				Interaction: provider.InteractionBrowser,
			},
		},
	}, nil
}

// Configure implements provider.Provider.
func (p *platform) Configure(_ context.Context, settings provider.Settings) ([]provider.Note, error) {
	lifetime, err := time.ParseDuration(settings.Get(keyTokenLifetime))
	if err != nil || lifetime < minLifetime {
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Hint: "for example 1h",
			Message: fmt.Sprintf("platformtoken: %s is not a duration of at least %v", keyTokenLifetime, minLifetime),
		}
	}
	p.lifetime = lifetime
	p.apiURL = settings.Get(keyAPIURL)
	p.organization = settings.Get(keyOrganization)
	p.apiToken = provider.NewSecret(strings.TrimSpace(settings.Get(keyAPIToken)))
	p.databases = map[location]turso.Database{}
	if _, err := p.client(p.apiToken); err != nil {
		return nil, err
	}
	if !p.apiToken.IsZero() {
		return nil, checkAPIToken(p.apiToken, keyAPIToken+", from the environment,")
	}
	return nil, nil
}

// client returns a client that uses one API token. Clients share connections.
func (p *platform) client(apiToken provider.Secret) (*turso.Client, error) {
	c, err := turso.New(turso.Options{
		BaseURL:    p.apiURL,
		Token:      func(context.Context) (string, error) { return apiToken.Reveal(), nil },
		HTTPClient: p.http,
		UserAgent:  "zen-provider-platformtoken/" + plugin.Version(),
	})
	if err != nil {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "platformtoken: " + keyAPIURL + ": " + err.Error(), Err: err}
	}
	return c, nil
}

// Interface guards
var (
	_ provider.Provider    = (*platform)(nil)
	_ provider.Identity    = (*platform)(nil)
	_ provider.TokenSource = (*platform)(nil)
	_ provider.Lookup      = (*platform)(nil)
)
