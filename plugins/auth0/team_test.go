package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/auth0"
)

// newTeamBench has an organization with an administrator and a member, and an application
// that may act in it.
func newTeamBench(t *testing.T) *bench {
	return newBench(t, func(o *auth0.Options) {
		o.Organizations = auth0.DefaultOrganizations()
		o.Users = append(auth0.DefaultUsers(), auth0.User{Email: "carol@example.test", Password: "carol", Organizations: []string{"acme"}, Roles: map[string][]string{"acme": {"member"}}})
		o.Users[1].Organizations, o.Users[1].Roles = []string{"acme", "globex"}, map[string][]string{"acme": {"member"}, "globex": {"admin"}}
		o.Applications[1].MyOrganization = auth0.MyOrganizationScopes()
	})
}

// teamMember acts in the organization of a sign-in, with the credential that each call leaves.
type teamMember struct {
	t          *testing.T
	p          *auth0Provider
	credential provider.Credential
	org        string
}

func (b *bench) teamMember(user, org string, settings ...string) *teamMember {
	b.t.Helper()
	p := b.provider(append([]string{keyClientID, testTeams}, settings...)...)
	req := request("")
	req.Organization = org
	h := &host{t: b.t, user: user}
	err := p.Login(b.t.Context(), req, h)
	h.visits.Wait()
	if err != nil {
		b.t.Fatal(err)
	}
	return &teamMember{t: b.t, p: p, credential: h.stored[0].Credential}
}

func (m *teamMember) request() provider.TeamRequest {
	return provider.TeamRequest{Credential: m.credential, Organization: m.org}
}

func (m *teamMember) keep(c *provider.Credential) {
	if c != nil {
		m.credential = *c
	}
}

func (m *teamMember) roles() string {
	m.t.Helper()
	members, c, err := m.p.Members(m.t.Context(), m.request())
	m.keep(c)
	if err != nil {
		m.t.Fatalf("Members = %v (hint: %s)", err, provider.Hint(err))
	}
	var all []string
	for _, member := range members {
		all = append(all, member.Email+" "+member.Role)
	}
	return strings.Join(all, "; ")
}

func (m *teamMember) id(email string) string {
	m.t.Helper()
	members, c, err := m.p.Members(m.t.Context(), m.request())
	m.keep(c)
	for _, member := range members {
		if member.Email == email {
			return member.ID
		}
	}
	m.t.Fatalf("no %s, %v", email, err)
	return ""
}

func (m *teamMember) invite(i provider.Invite) (provider.Invitation, error) {
	invitation, c, err := m.p.Invite(m.t.Context(), m.request(), i)
	m.keep(c)
	return invitation, err
}

func (m *teamMember) pending() []provider.Invitation {
	m.t.Helper()
	invitations, c, err := m.p.Invitations(m.t.Context(), m.request())
	m.keep(c)
	if err != nil {
		m.t.Fatal(err)
	}
	return invitations
}

// An administrator manages the members, with the roles in the organization of the sign-in
// and a single refresh for everything.
func TestTeam(t *testing.T) {
	b := newTeamBench(t)
	alice := b.teamMember("alice", "acme")
	before := b.requests("/oauth/token")
	if got := alice.roles(); got != "alice@example.test admin; bob@example.test member; carol@example.test member" {
		t.Errorf("members %s", got)
	}
	i, err := alice.invite(provider.Invite{Email: "dan@example.test", Role: "Admin", Lifetime: time.Hour})
	if err != nil || i.Role != "admin" || i.Status != "pending" || i.URL.IsZero() || time.Until(i.Expires) > time.Hour || time.Until(i.Expires) < 50*time.Minute {
		t.Errorf("invite = %+v, %v", i, err)
	}
	// A second invitation replaces the first.
	again, err := alice.invite(provider.Invite{Email: "dan@example.test"})
	if err != nil || again.Role != "" || time.Until(again.Expires) < 6*24*time.Hour {
		t.Errorf("invite = %+v, %v", again, err)
	}
	if pending := alice.pending(); len(pending) != 1 || pending[0].ID != again.ID || pending[0].Email != "dan@example.test" {
		t.Errorf("pending = %+v", pending)
	}
	c, err := alice.p.RevokeInvitation(t.Context(), alice.request(), again.ID)
	alice.keep(c)
	if err != nil || len(alice.pending()) != 0 {
		t.Error(err)
	}
	changed, c, err := alice.p.ChangeRole(t.Context(), alice.request(), alice.id("carol@example.test"), "admin")
	alice.keep(c)
	if err != nil || changed.Role != "admin" {
		t.Errorf("ChangeRole = %+v, %v", changed, err)
	}
	c, err = alice.p.RemoveMember(t.Context(), alice.request(), alice.id("bob@example.test"))
	alice.keep(c)
	if got := alice.roles(); err != nil || got != "alice@example.test admin; carol@example.test admin" {
		t.Errorf("members %s, %v", got, err)
	}
	if n := b.requests("/oauth/token") - before; n != 1 {
		t.Errorf("%d refreshes of the refresh token", n)
	}
	// Another process has only the credential.
	later := &teamMember{t: t, p: b.provider(keyClientID, testTeams), credential: alice.credential, org: "acme"}
	if got := later.roles(); !strings.HasPrefix(got, "alice@") {
		t.Errorf("members %s", got)
	}
	// Database tokens are still issued, for the API.
	if _, err := later.p.Token(t.Context(), provider.TokenRequest{Credential: &later.credential, Target: target}); err != nil {
		t.Error(err)
	}
}

func TestTeamRefuses(t *testing.T) {
	b := newTeamBench(t)
	alice, bob := b.teamMember("alice", "acme"), b.teamMember("bob", "acme")
	alice.roles() // later calls use the tokens of these
	bob.roles()
	someone := provider.Invite{Email: "dan@example.test"}
	machine := &teamMember{t: t, p: b.provider(keyClientSecret, testSecret)}
	machine.credential = machine.p.encode(stored{Machine: true, Organization: "org_x"}, "", "", time.Now())
	single := newBench(t, func(o *auth0.Options) { o.Organizations, o.Users = auth0.DefaultOrganizations(), auth0.DefaultUsers() })
	lacking := single.teamMember("alice", "acme")
	for name, tt := range map[string]struct {
		do   func() error
		kind error // nil: no class
		text string
		hint string
	}{
		"a member invites":   {func() error { return second(bob.invite(someone)) }, provider.ErrPermission, "Insufficient scope", "your roles"},
		"a member removes":   {func() error { _, err := bob.p.RemoveMember(t.Context(), bob.request(), "auth0|x"); return err }, provider.ErrPermission, "Insufficient scope", ""},
		"no address":         {func() error { return second(alice.invite(provider.Invite{Email: "dan"})) }, nil, "HTTP 400", ""},
		"no such role":       {func() error { return second(alice.invite(provider.Invite{Email: "dan@example.test", Role: "king"})) }, nil, "no role \"king\": it has admin, member", ""},
		"no such invitation": {func() error { _, err := alice.p.RevokeInvitation(t.Context(), alice.request(), "uinv_x"); return err }, nil, "HTTP 404", ""},
		"no such member":     {func() error { _, err := alice.p.RemoveMember(t.Context(), alice.request(), "auth0|x"); return err }, nil, "HTTP 404", ""},
		"no such member's role": {func() error {
			_, _, err := alice.p.ChangeRole(t.Context(), alice.request(), "auth0|x", "admin")
			return err
		}, nil, "no member", ""},
		"a redirect URL": {func() error {
			return second(alice.invite(provider.Invite{Email: "dan@example.test", RedirectURL: "https://app.example"}))
		}, errors.ErrUnsupported, "no redirect URL", ""},
		"too long": {func() error {
			return second(alice.invite(provider.Invite{Email: "dan@example.test", Lifetime: 31 * 24 * time.Hour}))
		}, errors.ErrUnsupported, "30 days", ""},
		"another organization": {func() error {
			other := *alice
			other.org = "globex"
			return second(other.invite(someone))
		}, provider.ErrConfig, `not for the organization "globex"`, "--org"},
		"a machine":                   {func() error { return second(machine.invite(someone)) }, provider.ErrConfig, "of no person", "--org"},
		"an application that may not": {func() error { return second(lacking.invite(someone)) }, provider.ErrConfig, "may not act in an organization", "setup auth0 --topic team"},
		"another user store":          {func() error { return second(b.teamMember("alice", "acme", keyUserStore, "nowhere").invite(someone)) }, provider.ErrConfig, "which user store", keyUserStore},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.do()
			if err == nil || tt.kind == nil && (provider.Kind(err) != nil || errors.Is(err, errors.ErrUnsupported)) || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Fatalf("%v is not of the class %v", err, tt.kind)
			}
			if !strings.Contains(err.Error(), tt.text) || !strings.Contains(provider.Hint(err), tt.hint) {
				t.Errorf("do = %q (hint: %q), want %q (%q)", err, provider.Hint(err), tt.text, tt.hint)
			}
		})
	}
	// A removed member is refused, even with an earlier token.
	bob.roles()
	c, err := alice.p.RemoveMember(t.Context(), alice.request(), alice.id("bob@example.test"))
	alice.keep(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := bob.p.Members(t.Context(), bob.request()); err == nil {
		t.Error("a removed member can list the members")
	}
	b.with(auth0.FaultRateLimited)
	if err := second(alice.invite(someone)); !errors.Is(err, provider.ErrUnavailable) {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }
