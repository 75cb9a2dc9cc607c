//go:build !windows

package cli

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/internal/cli/app"
)

// Two users of two organisations, each by Clerk and by Auth0: each reads the database of
// the own organisation, and neither sees the other's, by zen or with the bare token.
func TestOrganizationsAreApart(t *testing.T) {
	seed, err := devstack.LoadSeed("../../devstack/testdata/organizations.toml")
	if err != nil {
		t.Fatal(err)
	}
	term, stack := newDesk(t, devstack.Options{Seed: seed})
	ids := map[string]string{}
	for _, o := range stack.Turso.Organizations() {
		for _, d := range o.Databases {
			ids[d.Name] = d.ID
		}
	}
	base := term.environ
	for _, tt := range []struct{ user, provider, organization, own, other string }{
		{"alice", "clerk", "", "acme", "globex"},
		{"bob", "clerk", "", "globex", "acme"},
		{"alice", "auth0", "acme", "acme", "globex"},
		{"bob", "auth0", "globex", "globex", "acme"},
	} {
		t.Run(tt.user+" by "+tt.provider, func(t *testing.T) {
			term.t = t
			// As in a profile of its own.
			at := func(database string) {
				term.environ = append(append([]string{}, base...), "BROWSER=zen dev browse --user "+tt.user,
					"ZEN_STATE_DIR="+filepath.Join(term.dir, tt.user+"-"+tt.provider), "ZEN_AUTH0__CLIENT_ID="+auth0.DefaultOrgClientID,
					"ZEN_DATABASE="+stack.URL()+"/dbs/"+database, "ZEN_DATABASE_ID="+ids[database])
			}
			login := []string{"login", "--provider", tt.provider}
			if tt.organization != "" {
				login = append(login, "--org", tt.organization)
			}
			at(tt.own)
			term.run(login...)
			if got := term.run("db", "query", "--format", "csv", "SELECT name FROM who"); got != "name\n"+tt.own+"\n" {
				t.Errorf("the own database: %q", got)
			}
			token := strings.TrimSpace(term.run("token"))
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stack.URL()+"/dbs/"+tt.other+"/v2/pipeline",
				strings.NewReader(`{"requests":[{"type":"execute","stmt":{"sql":"SELECT name FROM who"}}]}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+token)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("the other database takes the bare token: %s", resp.Status)
			}
			at(tt.other)
			if code, said := term.ends("db", "query", "SELECT name FROM who"); code != app.ExitPermission && code != app.ExitSignIn || strings.Contains(said, tt.other+"\n") {
				t.Errorf("the other database: %d %s", code, said)
			}
			if tt.organization == "" {
				return
			}
			// Asking for the other organisation is no way in either.
			if code, said := term.ends("login", "--provider", tt.provider, "--org", tt.other); code == 0 {
				t.Errorf("signed in to the other organisation: %s", said)
			}
		})
	}
}
