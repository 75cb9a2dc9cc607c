package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// The ways to sign in to OpenBao itself.
const (
	methodOIDC       = "oidc"
	methodToken      = "token"
	methodAppRole    = "approle"
	methodKubernetes = "kubernetes"
)

// openbao is the provider. Configure fills it once; afterwards it doesn't change.
type openbao struct {
	version string
	now     func() time.Time
	// tokenFile is the file in which bao login and vault login leave their token.
	tokenFile string

	settings settings
	http     *http.Client
}

func newProvider(version string) *openbao {
	p := &openbao{version: version, now: time.Now}
	if home, err := os.UserHomeDir(); err == nil {
		p.tokenFile = filepath.Join(home, ".vault-token")
	}
	return p
}

// Describe implements provider.Provider.
func (p *openbao) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name: "openbao", Version: p.version, Homepage: "https://openbao.org",
		Summary: "Database tokens that OpenBao or Vault makes, by its policies",
		Fields:  fields(),
		Methods: []provider.Method{
			{Name: methodOIDC, Doc: "in the browser, by OpenBao's auth method oidc", Interaction: provider.InteractionBrowser},
			{Name: methodToken, Doc: "with a token of OpenBao's, from the environment, ~/.vault-token or typed in", Interaction: provider.InteractionTerminal},
			{Name: methodAppRole, Doc: "with an AppRole's role_id and secret_id", Interaction: provider.InteractionNone},
			{Name: methodKubernetes, Doc: "with the service account of the pod that zen runs in", Interaction: provider.InteractionNone},
		},
		Needs: &provider.AssertionNeed{
			Kinds:         []provider.AssertionKind{provider.AssertionJWT, provider.AssertionClerkAPIKey},
			AudienceField: keyAudience,
		},
	}, nil
}

// Configure implements provider.Provider.
func (p *openbao) Configure(_ context.Context, values provider.Settings) ([]provider.Note, error) {
	s, err := parseSettings(values)
	if err != nil {
		return nil, err
	}
	p.settings = s
	p.http, err = s.client()
	return nil, err
}

// Interface guards
var (
	_ provider.Provider    = (*openbao)(nil)
	_ provider.Identity    = (*openbao)(nil)
	_ provider.TokenSource = (*openbao)(nil)
)
