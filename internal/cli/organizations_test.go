//go:build !windows

package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/internal/cli/app"
)

// Two users of two organizations, each through Clerk and through Auth0: each can read the
// database of their own organization, but not the other's, with zen or with the bare token.
func TestOrganizationsAreApart(t *testing.T) {
	t.Parallel()
	seed, err := devstack.LoadSeed("../../devstack/testdata/organizations.toml")
	if err != nil {
		t.Fatal(err)
	}
	term, stack := newStackUser(t, devstack.Options{Seed: seed})
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
			// As if in a profile of its own.
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
				t.Errorf("query of the own database: %q", got)
			}
			token := strings.TrimSpace(term.run("token"))
			if status := readBare(t, stack.URL()+"/dbs/"+tt.other, token); status != http.StatusUnauthorized {
				t.Errorf("the other database's response to the bare token: status %d, want 401", status)
			}
			at(tt.other)
			if code, said := term.ends("db", "query", "SELECT name FROM who"); code != app.ExitPermission && code != app.ExitSignIn || strings.Contains(said, tt.other+"\n") {
				t.Errorf("query of the other database: exit code %d: %s", code, said)
			}
			if tt.organization == "" {
				return
			}
			// A sign-in to the other organization is refused, too.
			if code, said := term.ends("login", "--provider", tt.provider, "--org", tt.other); code == 0 {
				t.Errorf("signed in to the other organization: %s", said)
			}
		})
	}
}

// Two users are members of both organizations, in different roles. With one profile per
// organization, no token opens the other organization's database. With a single profile, zen
// org use switches the organization.
func TestTokensAreForOneOrganization(t *testing.T) {
	t.Parallel()
	seed, err := devstack.LoadSeed("../../devstack/testdata/organizations.toml")
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]map[string]string{
		"alice": {"acme": "org:admin", "globex": "org:member"}, "bob": {"acme": "org:member", "globex": "org:admin"},
	}
	for i := range seed.Clerk.Users {
		name, _, _ := strings.Cut(seed.Clerk.Users[i].Email, "@")
		memberships := seed.Clerk.Users[i].Memberships[:0]
		for _, o := range []string{"acme", "globex"} {
			m := seed.Clerk.Users[0].Memberships[0]
			m.Organization, m.Role = o, roles[name][o]
			memberships = append(memberships, m)
		}
		seed.Clerk.Users[i].Memberships = memberships
		seed.Auth0.Users[i].Organizations = []string{"acme", "globex"}
	}
	term, stack := newStackUser(t, devstack.Options{Seed: seed})
	ids := map[string]string{}
	for _, o := range stack.Turso.Organizations() {
		for _, d := range o.Databases {
			ids[d.Name] = d.ID
		}
	}
	base := term.environ
	for _, provider := range []string{"clerk", "auth0"} {
		for user := range roles {
			t.Run(user+" by "+provider, func(t *testing.T) {
				term.t = t
				home := t.TempDir()
				config, err := os.ReadFile(filepath.Join(term.dir, "zen", "config.toml"))
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(home, "config.toml")
				if err := os.WriteFile(file, config, 0o600); err != nil {
					t.Fatal(err)
				}
				term.environ = append(slices.Clone(base), "BROWSER=zen dev browse --user "+user, "ZEN_CONFIG="+file,
					"ZEN_STATE_DIR="+filepath.Join(home, "state"), "ZEN_AUTH0__CLIENT_ID="+auth0.DefaultOrgClientID)
				tokens := map[string]string{}
				for _, o := range []string{"acme", "globex"} {
					term.run("profiles", "add", o, "--database", stack.URL()+"/dbs/"+o, "--provider", provider, "--org", o)
					term.run("login", "--profile", o)
					if got := term.run("db", "query", "--profile", o, "--format", "csv", "SELECT name FROM who"); got != "name\n"+o+"\n" {
						t.Errorf("profile %s reads %q", o, got)
					}
					status := term.run("status", "--profile", o, "--json")
					if provider == "clerk" && !(strings.Contains(status, `"organization": "`+o+`"`) && strings.Contains(status, `"role": "`+roles[user][o]+`"`)) {
						t.Errorf("the status of profile %s is %s", o, status)
					}
					tokens[o] = strings.TrimSpace(term.run("token", "--profile", o))
				}
				for o, other := range map[string]string{"acme": "globex", "globex": "acme"} {
					if status := readBare(t, stack.URL()+"/dbs/"+other, tokens[o]); status != http.StatusUnauthorized {
						t.Errorf("the token of %s at database %s: status %d, want 401", o, other, status)
					}
					code, said := term.ends("db", "query", "--profile", o, "--database", stack.URL()+"/dbs/"+other, "SELECT name FROM who")
					if code != app.ExitPermission && code != app.ExitUsage || strings.Contains(said, other+"\n") {
						t.Errorf("profile %s at database %s: exit code %d: %s", o, other, code, said)
					}
					if code, said := term.ends("login", "--profile", o, "--org", other); code != app.ExitUsage {
						t.Errorf("profile %s, sign-in to %s: exit code %d: %s", o, other, code, said)
					}
					if code, said := term.ends("org", "use", other, "--profile", o); code != app.ExitUsage {
						t.Errorf("profile %s, org use %s: exit code %d: %s", o, other, code, said)
					}
					if again := strings.TrimSpace(term.run("token", "--profile", o)); again != tokens[o] && provider == "auth0" { // a Clerk token may have expired
						t.Errorf("the token of profile %s changed", o)
					}
				}
				if provider == "auth0" {
					return // an Auth0 sign-in is for one organization
				}
				// In a single profile, no token issued in one organization is used in the
				// other.
				at := func(o string) {
					term.environ = append(term.environ, "ZEN_DATABASE="+stack.URL()+"/dbs/"+o, "ZEN_DATABASE_ID="+ids[o])
				}
				at("acme")
				term.run("login", "--provider", provider, "--org", "acme")
				before := strings.TrimSpace(term.run("token"))
				term.run("org", "use", "globex")
				if code, said := term.ends("token"); code != app.ExitPermission || strings.Contains(said, before) {
					t.Errorf("token for acme's database in globex: exit code %d: %s", code, said)
				}
				if status := term.run("status", "--json"); !strings.Contains(status, `"role": "`+roles[user]["globex"]+`"`) || !strings.Contains(status, `"state": "none"`) {
					t.Error(status)
				}
				at("globex")
				if got := term.run("db", "query", "--format", "csv", "SELECT name FROM who"); got != "name\nglobex\n" {
					t.Errorf("query in globex: %q", got)
				}
				term.run("org", "use", "acme")
				if code, said := term.ends("token"); code != app.ExitPermission {
					t.Errorf("token for globex's database in acme: exit code %d: %s", code, said)
				}
				at("acme")
				if after := strings.TrimSpace(term.run("token")); after == before {
					t.Error("the earlier token is used again")
				}
			})
		}
	}
}

// readBare returns the status of a query with a bare token.
func readBare(t *testing.T, database, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, database+"/v2/pipeline",
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
	return resp.StatusCode
}
