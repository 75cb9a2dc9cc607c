package devstack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/devstack/app"
)

// Variable is one of the environment.
type Variable struct{ Name, Value string }

// Environment writes zen's and the turso CLI's configuration for this stack into
// dir, and returns the variables with which both use it: a directory of their own,
// so that a person's files stay as they are. With them are those by which the SDKs
// of Turso, Clerk and Auth0 are usually told where to go.
func (s *Stack) Environment(dir string) ([]Variable, error) {
	organization, _ := s.seed.primary()
	var config strings.Builder
	fmt.Fprintf(&config, `# For the local stack.
[profiles.default]
database = %q
database_id = %q
provider = "clerk"

[providers.clerk]
publishable_key = %q
bridge_url = %q
template = %q
read_only_template = %q

[providers.platformtoken]
organization = %q
api_url = %q
`, s.DatabaseURL(), s.DatabaseID(), s.Clerk.PublishableKey(), s.url+app.BridgePath,
		cmp.Or(s.seed.template("rw"), Template), cmp.Or(s.seed.template("ro"), ReadOnlyTemplate), organization, s.url)
	settings, err := json.Marshal(map[string]string{"organization": organization, "username": s.user()})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		filepath.Join(dir, "zen", "config.toml"):     []byte(config.String()),
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
		{"ZEN_CONFIG", filepath.Join(dir, "zen", "config.toml")},
		{"ZEN_STATE_DIR", filepath.Join(dir, "zen", "state")},
		{"ZEN_PROVIDER_DIR", filepath.Join(dir, "zen", "providers")},
		{"ZEN_STORAGE", "file"}, // what ends with the stack leaves nothing in a person's keyring
		{"ZEN_DEV_URL", s.url},
		{"TURSO_API_BASEURL", s.url},
		{"TURSO_API_TOKEN", s.apiToken},
		{"TURSO_CONFIG_FOLDER", filepath.Join(dir, "turso")},
		{"TURSO_DATABASE_URL", s.DatabaseURL()},
		{"CLERK_PUBLISHABLE_KEY", s.Clerk.PublishableKey()},
		{"CLERK_SECRET_KEY", s.Clerk.SecretKey()},
		{"CLERK_API_URL", strings.TrimSuffix(s.Clerk.BackendURL(), "/v1")},
	}
	if s.Auth0 != nil {
		variables = append(variables, Variable{"AUTH0_ISSUER_BASE_URL", s.Auth0.BaseURL()})
	}
	return variables, nil
}
