package devstack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

func TestSeedFile(t *testing.T) {
	seed, err := devstack.LoadSeed("testdata/seed.toml")
	if err != nil {
		t.Fatal(err)
	}
	s := devstacktest.Start(t, devstack.Options{Seed: seed})
	notes := s.DatabaseURL()
	tests := []struct{ name, template, url, sql, want string }{
		{"SQL of a file", "turso", notes, "SELECT author, body FROM notes", "carol first light; \"quoted\"\ndave second thoughts"},
		{"read-only", "turso-ro", notes, "DELETE FROM notes", "BLOCKED"},
		{"narrowed, allowed", "turso-append", notes, "INSERT INTO notes (author, body) VALUES ('x', 'y')", ""},
		{"narrowed, refused", "turso-append", notes, "DELETE FROM notes", "SQLITE_AUTH"},
		{"other database", "turso", s.URL() + "/dbs/audit", "SELECT 1", "Unauthorized: `unauthorized access attempt on database: token does not have the permissions to access the database`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token := devstacktest.Token(t, s, "carol@initech.test", tt.template)
			if _, got := query(t, s, tt.url, token, tt.sql); got != tt.want {
				t.Errorf("query = %q, want %q", got, tt.want)
			}
		})
	}
	if id := s.Clerk.UserID("dave@initech.test"); id != "user_2dave" {
		t.Errorf("dave is %s", id)
	}
	if users := s.Auth0.Users(); len(users) != 1 || users[0].Name != "Erin Esposito" || users[0].Organizations[0] != "initech" {
		t.Errorf("Auth0 has %+v", users)
	}
	if id := s.Clerk.UserID("alice@example.test"); id != "" {
		t.Errorf("the default users are there, too: %s", id)
	}
}

func TestBadSeedFiles(t *testing.T) {
	const tail = "\n[[turso.users]]\nname='a'\n[[turso.organizations]]\nslug='o'\nmembers=['a']\ndatabases=[{name='d'}]\n"
	tests := []struct{ name, text, want string }{
		{"unknown key", "[[clerk.users]]\nemail='a@b.test'\npasword='x'" + tail, "line 3: no such key: clerk.users.pasword"},
		{"unknown table", "[auth]\nx=1" + tail, "no such key: auth"},
		{"not TOML", "[[clerk", "line 1"},
		{"wrong type", "[[clerk.users]]\nemail=1" + tail, "line 2"},
		{"a lifetime of zero", "[[clerk.templates]]\nname='t'\nlifetime='0s'" + tail, "want more than nothing"},
		{"an empty file", "", "want one with a member and a database"},
		{"unknown access", "[[clerk.templates]]\nname='t'\ndatabase='o/d'\naccess='admin'" + tail, `access "admin": want rw or ro`},
		{"no such database", "[[clerk.templates]]\nname='t'\ndatabase='o/e'" + tail, `database "o/e": want ORGANIZATION/DATABASE`},
		{"access to nothing", "[[clerk.templates]]\nname='t'\naccess='ro'" + tail, "name one"},
		{"issuer and url", tail + "registrations=[{name='r',issuer='clerk',url='https://x.test'}]", "either issuer or url"},
		{"unknown issuer", tail + "registrations=[{name='r',issuer='okta'}]", "want clerk, or auth0 where [auth0] is declared"},
		{"a registration of an undeclared tenant", tail + "registrations=[{name='r',issuer='auth0'}]", "want clerk, or auth0 where"},
		{"a session token for an unknown database", "[clerk.session_token]\ndatabase='o/e'" + tail, `clerk.session_token: database "o/e"`},
		{"organization's database", "[[clerk.organizations]]\nslug='x'\ndatabase='o/e'" + tail, `clerk organization "x": database "o/e"`},
		{"a proxy path without a slash", "[clerk]\nproxy_path='clerk'" + tail, "want a path such as /__clerk"},
		{"an Action for an unknown database", "[auth0.action]\ndatabase='o/e'" + tail, `auth0.action: database "o/e"`},
		{"two sources", strings.Replace(tail, "name='d'", "name='d',sql='SELECT 1',sql_file='x'", 1), "both sql and sql_file"},
		{"a missing SQL file", strings.Replace(tail, "name='d'", "name='d',sql_file='missing.sql'", 1), "missing.sql"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "seed.toml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := devstack.LoadSeed(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("LoadSeed = %v, want one line with the path and %q", err, tt.want)
			}
		})
	}
}

func TestBadSeedSQL(t *testing.T) {
	seed := devstack.DefaultSeed()
	seed.Turso.Organizations[0].Databases[0].SQL = "CREATE TABLE t (a); INSERT INTO u VALUES (1)"
	dir := t.TempDir()
	for range 2 { // the second run must not find half of it
		if s, err := devstack.Start(devstack.Options{Seed: seed, Dir: dir}); err == nil || !strings.Contains(err.Error(), "no such table: u") {
			t.Errorf("Start = %v, want the SQL's error", err)
			if s != nil {
				s.Close()
			}
		}
	}
}
