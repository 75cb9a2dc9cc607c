package devstack_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// At Clerk and at Auth0, a token opens only the database of the organization that it was
// issued for, not that of the person's other organizations.
func TestOrganizationsAreApart(t *testing.T) {
	seed, err := devstack.LoadSeed("testdata/organizations.toml")
	if err != nil {
		t.Fatal(err)
	}
	s := devstacktest.Start(t, devstack.Options{Seed: seed})
	clerk := func(email, organization string) string {
		session, err := s.Clerk.CreateSession(s.Clerk.UserID(email), organization)
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.Clerk.TemplateToken(session, "turso")
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	machine := func(organization string) string {
		var answer struct {
			Token string `json:"access_token"`
		}
		post(t, s.Auth0.BaseURL()+"/oauth/token", url.Values{
			"client_id": {auth0.DefaultMachineClientID}, "client_secret": {auth0.DefaultMachineSecret}, "audience": {auth0.DefaultAudience},
			"grant_type": {auth0.GrantCredentials}, "organization": {organization},
		}, &answer)
		return answer.Token
	}
	session, err := s.Clerk.CreateSession(s.Clerk.UserID("alice@example.test"), "acme")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := s.Clerk.SessionToken(session)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ token, opens string }{
		"alice of acme by Clerk":   {clerk("alice@example.test", "acme"), "acme"},
		"alice of globex by Clerk": {clerk("alice@example.test", "globex"), "globex"},
		"bob of globex by Clerk":   {clerk("bob@example.test", "globex"), "globex"},
		"a session token":          {plain, ""},
		"a machine of acme":        {machine("acme"), "acme"},
		"a machine of globex":      {machine("globex"), "globex"},
		"a machine of nobody's":    {machine(""), ""},
	} {
		for _, database := range []string{"acme", "globex"} {
			status, got := query(t, s, s.URL()+"/dbs/"+database, tt.token, "SELECT name FROM who")
			if tt.opens == database && (status != http.StatusOK || got != database) || tt.opens != database && status == http.StatusOK {
				t.Errorf("%s: %s answers %d %s", name, database, status, got)
			}
		}
	}
}
