package devstack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/devstack/app"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/oidc"
)

// Variable is one of the environment.
type Variable = ci.Variable

// Environment writes zen's and the turso CLI's configuration for this stack into
// dir, and returns the variables with which both use it: a directory of their own,
// so that a person's files stay as they are. With them are those by which the SDKs
// of Turso, Clerk and Auth0 are usually told where to go, and those of a job of
// [Options.CI].
func (s *Stack) Environment(dir string) ([]Variable, error) {
	organization, _ := s.seed.primary()
	settings, err := json.Marshal(map[string]string{"organization": organization, "username": s.user()})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		filepath.Join(dir, "zen", "config.toml"):     []byte(s.config()),
		filepath.Join(dir, "turso", "settings.json"): settings,
	}
	for path, content := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("write configuration: %w", err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("write configuration: %w", err)
		}
	}
	variables := []Variable{
		{Name: "ZEN_CONFIG", Value: filepath.Join(dir, "zen", "config.toml")},
		{Name: "ZEN_STATE_DIR", Value: filepath.Join(dir, "zen", "state")},
		{Name: "ZEN_PROVIDER_DIR", Value: filepath.Join(dir, "zen", "providers")},
		{Name: "ZEN_STORAGE", Value: "file"}, // what ends with the stack leaves nothing in a person's keyring
		{Name: "ZEN_DEV_URL", Value: s.url},
		{Name: "TURSO_API_BASEURL", Value: s.url},
		{Name: "TURSO_API_TOKEN", Value: s.apiToken},
		{Name: "TURSO_CONFIG_FOLDER", Value: filepath.Join(dir, "turso")},
		{Name: "TURSO_DATABASE_URL", Value: s.DatabaseURL()},
		{Name: "CLERK_PUBLISHABLE_KEY", Value: s.Clerk.PublishableKey()},
		{Name: "CLERK_SECRET_KEY", Value: s.Clerk.SecretKey()},
		{Name: "CLERK_API_URL", Value: strings.TrimSuffix(s.Clerk.BackendURL(), "/v1")},
	}
	if s.apiKey != "" {
		// The secret key, too: the command is a server of the app's own.
		variables = append(variables, Variable{Name: "ZEN_APIKEY__KEY", Value: s.apiKey}, Variable{Name: "ZEN_APIKEY__SECRET_KEY", Value: s.Clerk.SecretKey()})
	}
	if s.Auth0 != nil {
		token, err := s.Auth0.ManagementToken()
		if err != nil {
			return nil, err
		}
		variables = append(variables, Variable{Name: "AUTH0_ISSUER_BASE_URL", Value: s.Auth0.BaseURL()}, Variable{Name: "AUTH0_API_TOKEN", Value: token})
		if s.seed.Auth0.Applications == nil {
			variables = append(variables, Variable{Name: "ZEN_AUTH0__CLIENT_SECRET", Value: auth0.DefaultMachineSecret})
		}
	}
	job, err := s.job(dir)
	return append(variables, job...), err
}

// config returns zen's configuration, with a section for each provider that the stack has the
// other side of. Secrets are in the environment.
func (s *Stack) config() string {
	var b strings.Builder
	organization, _ := s.seed.primary()
	b.WriteString("# For the local stack.\n")
	section := func(name string, settings ...string) {
		fmt.Fprintf(&b, "[%s]\n", name)
		for i := 0; i+1 < len(settings); i += 2 {
			fmt.Fprintf(&b, "%s = %q\n", settings[i], settings[i+1])
		}
		b.WriteString("\n")
	}
	section("profiles.default", "database", s.DatabaseURL(), "database_id", s.DatabaseID(), "provider", "clerk")
	var proxy []string
	if s.seed.Clerk.ProxyPath != "" {
		proxy = []string{"proxy_url", s.Clerk.Issuer()}
	}
	section("providers.clerk", append([]string{
		"publishable_key", s.Clerk.PublishableKey(), "bridge_url", s.url + app.BridgePath,
		"template", cmp.Or(s.seed.template("rw"), Template), "read_only_template", cmp.Or(s.seed.template("ro"), ReadOnlyTemplate),
		"oauth_client_id", clerk.DefaultOAuthClientID,
	}, proxy...)...)
	section("providers.platformtoken", "organization", organization, "api_url", s.url)
	if s.Auth0 != nil && s.seed.Auth0.Applications == nil && s.seed.Auth0.APIs == nil {
		section("providers.auth0", "domain", strings.TrimPrefix(s.Auth0.BaseURL(), "http://"), "client_id", auth0.DefaultClientID,
			"machine_client_id", auth0.DefaultMachineClientID, "audience", auth0.DefaultAudience, "write_scope", auth0.DefaultWriteScope)
	}
	client := oidc.DefaultClientID
	if clients := s.seed.OIDC.Clients; len(clients) > 0 {
		client = clients[0].ID
	}
	openID := []string{"issuer", s.OIDC.Address(), "client_id", client, "audience", s.audience()}
	if s.ci != "" {
		openID = append(openID, "workload_issuer", s.CI.Issuer(s.ci))
	}
	section("providers.oidc", openID...)
	section("providers.apikey", append([]string{
		"publishable_key", s.Clerk.PublishableKey(), "backend_url", strings.TrimSuffix(s.Clerk.BackendURL(), "/v1"),
		"template", cmp.Or(s.seed.template("rw"), Template), "read_only_template", cmp.Or(s.seed.template("ro"), ReadOnlyTemplate),
	}, proxy...)...)
	return b.String()
}

// audience returns the audience of a CI statement where no one asks for another one.
func (s *Stack) audience() string { return cmp.Or(s.seed.CI.Audience, defaultAudience) }

// job returns the variables of the job whose environment this is. Its files are kept fresh
// until the stack ends.
func (s *Stack) job(dir string) ([]Variable, error) {
	if s.ci == "" {
		return nil, nil
	}
	variables, err := s.CI.Environment(s.ci, s.audience())
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "ci", "token")
	var ended <-chan struct{}
	switch s.ci {
	case "kubernetes":
		ended, err = s.CI.KeepFile(s.background, s.ci, s.audience(), path)
		variables = append(variables, Variable{Name: "ZEN_OIDC__TOKEN_FILE", Value: path})
	case "spiffe":
		path = filepath.Join(dir, "ci", "agent.sock")
		ended, err = s.CI.ServeSPIFFE(s.background, path)
		variables = append(variables, Variable{Name: "SPIFFE_ENDPOINT_SOCKET", Value: "unix://" + path})
	}
	if ended != nil {
		s.running = append(s.running, ended)
	}
	return variables, err
}
