package devstack

import (
	"strings"

	"github.com/zen-auth/zen/devstack/app"
	"github.com/zen-auth/zen/devstack/page"
)

// content returns what the page shows now.
func (s *Stack) content() page.Content {
	c := page.Content{
		URL: s.url, Now: s.now(), Faults: s.faultGroups(),
		Facts: []page.Fact{
			{Name: "Everything answers at", Value: s.url},
			{Name: "The database", Value: s.DatabaseURL()},
			{Name: "Clerk's publishable key", Value: s.Clerk.PublishableKey()},
			{Name: "The app, to sign in", Value: s.url + app.SignInPath, Link: true},
		},
		Tokens: s.recorder.Tokens(), Requests: s.recorder.Requests(),
	}
	for _, u := range s.Clerk.Users() {
		c.Users = append(c.Users, page.User{
			Name: u.Name, Email: u.Email, ID: u.ID, Where: "Clerk", Organizations: u.Organizations, Sessions: u.Sessions,
		})
	}
	for _, k := range s.Clerk.Keys() {
		use := "signs Clerk's tokens, RS256"
		if !k.Signing {
			use = "retired, still published"
		}
		c.Keys = append(c.Keys, page.Key{Owner: "Clerk", ID: k.ID, Use: use})
	}
	if s.Auth0 != nil {
		c.Facts = append(c.Facts, page.Fact{Name: "Auth0 answers at", Value: s.Auth0.BaseURL()})
		for _, u := range s.Auth0.Users() {
			c.Users = append(c.Users, page.User{Name: u.Name, Email: u.Email, ID: u.ID, Where: "Auth0", Organizations: u.Organizations})
		}
		for i, id := range s.Auth0.KeyIDs() {
			use := []string{"signs Auth0's tokens, RS256", "signs next, published already", "signed before, still published"}[min(i, 2)]
			c.Keys = append(c.Keys, page.Key{Owner: "Auth0", ID: id, Use: use})
		}
	}
	c.Facts = append(c.Facts, page.Fact{Name: "The OpenID issuer", Value: s.OIDC.Address()}, page.Fact{Name: "GitHub's issuer", Value: s.CI.Issuer("github")})
	for _, u := range s.OIDC.Users() {
		c.Users = append(c.Users, page.User{Name: u.Name, Email: u.Email, ID: u.Subject, Where: "OpenID", Organizations: u.Groups})
	}
	c.Keys = append(c.Keys, page.Key{Owner: "Turso", Use: "signs what its Platform API mints, EdDSA, without a kid"})
	members := map[string]*page.User{}
	var names []string
	for _, o := range s.Turso.Organizations() {
		for _, m := range o.Members {
			if members[m.Name] == nil {
				members[m.Name] = &page.User{Name: m.Name, Email: m.Email, Where: "Turso"}
				names = append(names, m.Name)
			}
			members[m.Name].Organizations = append(members[m.Name].Organizations, o.Slug+" ("+m.Role+")")
		}
		for _, r := range o.Registrations {
			c.Registrations = append(c.Registrations, page.Registration{Organization: o.Slug, Name: r.Name, URL: r.URL, Region: r.Region})
		}
		for _, d := range o.Databases {
			c.Databases = append(c.Databases, page.Database{
				Organization: o.Slug, Name: d.Name, URL: s.url + d.Path, ID: d.ID,
				RowsRead: d.RowsRead, RowsWritten: d.RowsWritten, Bytes: d.StorageBytes,
			})
		}
	}
	for _, name := range names {
		c.Users = append(c.Users, *members[name])
	}
	return c
}

// faultGroups sorts the faults by the part that fails, which their names begin
// with; what is about Turso begins with anything else.
func (s *Stack) faultGroups() []page.FaultGroup {
	groups := []page.FaultGroup{{Name: "Turso"}, {Name: "Clerk"}, {Name: "Auth0"}, {Name: "OpenID"}, {Name: "CI"}, {Name: "Network"}}
	for _, f := range s.Faults.List() {
		prefix, _, _ := strings.Cut(f.Name, "-")
		i := map[string]int{"clerk": 1, "auth0": 2, "oidc": 3, "ci": 4, "net": 5}[prefix]
		groups[i].Faults = append(groups[i].Faults, page.Fault{Name: f.Name, Summary: f.Summary, On: f.On})
	}
	kept := groups[:0]
	for _, g := range groups {
		if len(g.Faults) > 0 {
			kept = append(kept, g)
		}
	}
	return kept
}
