package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// teamMember acts as a member of an organization, and keeps the credential that each call
// returns.
type teamMember struct {
	t          *testing.T
	p          *clerkProvider
	credential provider.Credential
	org        string
}

func (m *teamMember) request() provider.TeamRequest {
	return provider.TeamRequest{Credential: m.credential, Organization: m.org}
}

func (m *teamMember) keep(c *provider.Credential) {
	if c != nil {
		m.credential = *c
	}
}

func (m *teamMember) members() ([]provider.Member, error) {
	members, c, err := m.p.Members(m.t.Context(), m.request())
	m.keep(c)
	return members, err
}

func (m *teamMember) invitations() ([]provider.Invitation, error) {
	invitations, c, err := m.p.Invitations(m.t.Context(), m.request())
	m.keep(c)
	return invitations, err
}

func (m *teamMember) invite(i provider.Invite) (provider.Invitation, error) {
	invitation, c, err := m.p.Invite(m.t.Context(), m.request(), i)
	m.keep(c)
	return invitation, err
}

func (m *teamMember) revoke(id string) error {
	c, err := m.p.RevokeInvitation(m.t.Context(), m.request(), id)
	m.keep(c)
	return err
}

func (m *teamMember) remove(id string) error {
	c, err := m.p.RemoveMember(m.t.Context(), m.request(), id)
	m.keep(c)
	return err
}

func (m *teamMember) role(id, role string) (provider.Member, error) {
	changed, c, err := m.p.ChangeRole(m.t.Context(), m.request(), id, role)
	m.keep(c)
	return changed, err
}

// invited creates invitations, which have to succeed.
func (m *teamMember) invited(emails ...string) (ids []string) {
	m.t.Helper()
	for _, email := range emails {
		i, err := m.invite(provider.Invite{Email: email})
		if err != nil {
			m.t.Fatal(err)
		}
		ids = append(ids, i.ID)
	}
	return ids
}

func (m *teamMember) pending() string {
	m.t.Helper()
	invitations, err := m.invitations()
	if err != nil {
		m.t.Fatal(err)
	}
	var emails []string
	for _, i := range invitations {
		emails = append(emails, i.Email)
	}
	slices.Sort(emails)
	return strings.Join(emails, " ")
}

// errNone stands for an error without a class of the contract: it concerns one person,
// and no sign-in helps.
var errNone = errors.New("of no class")

// teamCase is an action in an organization that has an administrator and a member.
type teamCase struct {
	as, fault string
	// do performs the action; admin can prepare it and check its result.
	do   func(m, admin *teamMember, ids teamIDs) error
	kind error
	text string
	hint string
}

type teamIDs struct {
	admin, member string
	advance       func(time.Duration)
	accept        func(id, email string)
	end           func(email string)
}

// TestTeam manages the members of an organization, with each person's own rights.
func TestTeam(t *testing.T) {
	const carol = "carol@new.test"
	one := func(i provider.Invite) func(*teamMember, *teamMember, teamIDs) error {
		return func(m, _ *teamMember, _ teamIDs) error { _, err := m.invite(i); return err }
	}
	wrong := func(format string, args ...any) error { return fmt.Errorf("wrong: "+format, args...) }
	cases := map[string]teamCase{
		"an administrator lists the members": {as: "admin", do: func(m, _ *teamMember, ids teamIDs) error {
			members, err := m.members()
			if err == nil && (len(members) != 2 || members[0].ID != ids.admin || members[0].Role != "org:admin" || members[1].Role != "org:member" || members[1].Since.IsZero() || members[1].Name != "Mel Ember") {
				err = wrong("%+v", members)
			}
			return err
		}},
		"a member lists the members":     {as: "member", do: func(m, _ *teamMember, _ teamIDs) error { _, err := m.members(); return err }},
		"a stranger lists the members":   {as: "stranger", kind: provider.ErrPermission, hint: "a member of", do: func(m, _ *teamMember, _ teamIDs) error { _, err := m.members(); return err }},
		"a member lists the invitations": {as: "member", kind: provider.ErrPermission, text: "missing_organization_permission", do: func(m, _ *teamMember, _ teamIDs) error { _, err := m.invitations(); return err }},
		"by the slug": {as: "admin", do: func(m, _ *teamMember, _ teamIDs) error {
			m.org = "case"
			_, err := m.members()
			return err
		}},
		"by a slug of others": {as: "admin", kind: provider.ErrPermission, text: `in no organization "globex"`, hint: "zen org list", do: func(m, _ *teamMember, _ teamIDs) error {
			m.org = "globex"
			_, err := m.members()
			return err
		}},
		"the active one": {as: "admin", do: func(m, _ *teamMember, _ teamIDs) error {
			m.org = ""
			members, err := m.members()
			if err == nil && len(members) != 2 {
				err = wrong("%+v", members)
			}
			return err
		}},
		"none is active": {as: "loner", kind: provider.ErrConfig, text: "no organization is active", hint: "zen org use", do: func(m, _ *teamMember, _ teamIDs) error {
			m.org = ""
			_, err := m.members()
			return err
		}},

		"an invitation": {as: "admin", do: func(m, _ *teamMember, _ teamIDs) error {
			i, err := m.invite(provider.Invite{Email: carol})
			if err == nil && (i.Role != "org:member" || i.Status != "pending" || !strings.HasPrefix(i.ID, "orginv_") || i.URL.IsZero() || time.Until(i.Expires) < 29*24*time.Hour) {
				err = wrong("%+v", i)
			}
			if pending := m.pending(); pending != carol {
				err = wrong("pending %s", pending)
			}
			return err
		}},
		"in a role by its short name": {as: "admin", do: func(m, _ *teamMember, _ teamIDs) error {
			i, err := m.invite(provider.Invite{Email: carol, Role: "admin"})
			if err == nil && i.Role != "org:admin" {
				err = wrong("%+v", i)
			}
			return err
		}},
		"in a role of the instance's own": {as: "admin", do: one(provider.Invite{Email: carol, Role: "org:billing"})},
		"for somebody with an invitation": {as: "admin", kind: errNone, text: "organization_invitation_not_unique", do: func(m, _ *teamMember, _ teamIDs) error {
			m.invited(carol)
			return one(provider.Invite{Email: carol})(m, nil, teamIDs{})
		}},
		"for the same in capitals": {as: "admin", kind: errNone, text: "organization_invitation_not_unique", do: func(m, _ *teamMember, _ teamIDs) error {
			m.invited(carol)
			return one(provider.Invite{Email: "CAROL@new.test"})(m, nil, teamIDs{})
		}},
		"for a member":                    {as: "admin", kind: errNone, text: "already_a_member_in_organization", do: one(provider.Invite{Email: "member@case.test"})},
		"for no address":                  {as: "admin", kind: errNone, text: "form_param_value_invalid", do: one(provider.Invite{Email: "carol"})},
		"for nobody":                      {as: "admin", kind: errNone, text: "form_param_missing", do: one(provider.Invite{})},
		"by a member":                     {as: "member", kind: provider.ErrPermission, text: "missing_organization_permission", hint: "manages the members", do: one(provider.Invite{Email: carol})},
		"by a stranger":                   {as: "stranger", kind: provider.ErrPermission, text: "organization_not_found_or_unauthorized", do: one(provider.Invite{Email: carol})},
		"by an administrator who may not": {as: "admin", fault: clerk.FaultTeamForbidden, kind: provider.ErrPermission, do: one(provider.Invite{Email: carol})},
		"by somebody who was removed":     {as: "admin", fault: clerk.FaultOrganizationLeft, kind: provider.ErrPermission, do: one(provider.Invite{Email: carol})},
		"with a redirect URL":             {as: "admin", kind: errors.ErrUnsupported, text: "no redirect URL", hint: "leave them out", do: one(provider.Invite{Email: carol, RedirectURL: "https://app.example"})},
		"with a lifetime":                 {as: "admin", kind: errors.ErrUnsupported, text: "no lifetime", do: one(provider.Invite{Email: carol, Lifetime: time.Hour})},
		"into a full organization": {as: "admin", kind: provider.ErrPermission, text: "organization_membership_quota_exceeded", hint: "pending invitations", do: func(m, _ *teamMember, _ teamIDs) error {
			m.invited("a@new.test", "b@new.test", "c@new.test")
			return one(provider.Invite{Email: carol})(m, nil, teamIDs{})
		}},
		"onto a seat that a revocation made free": {as: "admin", do: func(m, _ *teamMember, _ teamIDs) error {
			ids := m.invited("a@new.test", "b@new.test", "c@new.test")
			return errors.Join(m.revoke(ids[0]), one(provider.Invite{Email: carol})(m, nil, teamIDs{}))
		}},
		"three, of which a limit stops the second": {as: "admin", fault: clerk.FaultInvitationsLimited, kind: provider.ErrUnavailable, text: "too_many_requests", do: func(m, _ *teamMember, _ teamIDs) error {
			var err error
			for _, email := range []string{"a@new.test", "b@new.test"} {
				if _, err = m.invite(provider.Invite{Email: email}); err != nil {
					break
				}
			}
			if provider.RetryAfter(err) != 2*time.Second {
				return wrong("retry after %s of %v", provider.RetryAfter(err), err)
			}
			if pending := m.pending(); pending != "a@new.test" {
				return wrong("pending %s", pending)
			}
			return err
		}},

		"a revocation": {as: "admin", do: func(m, _ *teamMember, _ teamIDs) error {
			ids := m.invited(carol, "dan@new.test")
			err := m.revoke(ids[0])
			if pending := m.pending(); pending != "dan@new.test" {
				err = wrong("pending %s", pending)
			}
			return err
		}},
		"a revocation again": {as: "admin", kind: errNone, text: "organization_invitation_not_pending", do: func(m, _ *teamMember, _ teamIDs) error {
			id := m.invited(carol)[0]
			return errors.Join(m.revoke(id), m.revoke(id))
		}},
		"a revocation of nothing":  {as: "admin", kind: errNone, text: "organization_invitation_not_found", do: func(m, _ *teamMember, _ teamIDs) error { return m.revoke("orginv_none") }},
		"a revocation by a member": {as: "member", kind: provider.ErrPermission, do: func(m, admin *teamMember, _ teamIDs) error { return m.revoke(admin.invited(carol)[0]) }},
		"a revocation after the end": {as: "admin", kind: errNone, text: "organization_invitation_not_pending", do: func(m, _ *teamMember, ids teamIDs) error {
			id := m.invited(carol)[0]
			ids.advance(31 * 24 * time.Hour)
			return m.revoke(id)
		}},
		"an invitation after the end of one": {as: "admin", do: func(m, _ *teamMember, ids teamIDs) error {
			m.invited(carol)
			ids.advance(31 * 24 * time.Hour)
			if pending := m.pending(); pending != "" {
				return wrong("pending %s", pending)
			}
			m.invited(carol)
			return nil
		}},
		"an invitation that was accepted": {as: "admin", kind: errNone, text: "organization_invitation_not_pending", do: func(m, _ *teamMember, ids teamIDs) error {
			id := m.invited("stranger@case.test")[0]
			ids.accept(id, "stranger@case.test")
			members, err := m.members()
			if err != nil || len(members) != 3 || m.pending() != "" {
				return wrong("%+v, %v", members, err)
			}
			return m.revoke(id)
		}},

		"another role": {as: "admin", do: func(m, _ *teamMember, ids teamIDs) error {
			changed, err := m.role(ids.member, "admin")
			if err == nil && (changed.Role != "org:admin" || changed.Email != "member@case.test") {
				err = wrong("%+v", changed)
			}
			return err
		}},
		"another role by a member":  {as: "member", kind: provider.ErrPermission, do: func(m, _ *teamMember, ids teamIDs) error { _, err := m.role(ids.member, "admin"); return err }},
		"another role for nobody":   {as: "admin", kind: errNone, text: "resource_not_found", do: func(m, _ *teamMember, _ teamIDs) error { _, err := m.role("user_none", "admin"); return err }},
		"another role for the last": {as: "admin", kind: errNone, text: "organization_minimum_permissions_needed", do: func(m, _ *teamMember, ids teamIDs) error { _, err := m.role(ids.admin, "member"); return err }},
		"a removal": {as: "admin", do: func(m, _ *teamMember, ids teamIDs) error {
			err := m.remove(ids.member)
			members, _ := m.members()
			if len(members) != 1 {
				err = wrong("%+v", members)
			}
			return err
		}},
		"a removal of nobody":        {as: "admin", kind: errNone, text: "resource_not_found", do: func(m, _ *teamMember, _ teamIDs) error { return m.remove("user_none") }},
		"a removal of the last":      {as: "admin", kind: errNone, text: "organization_minimum_permissions_needed", do: func(m, _ *teamMember, ids teamIDs) error { return m.remove(ids.admin) }},
		"a removal by a member":      {as: "member", kind: provider.ErrPermission, do: func(m, _ *teamMember, ids teamIDs) error { return m.remove(ids.admin) }},
		"an id that leads elsewhere": {as: "admin", kind: errNone, text: "resource_not_found", do: func(m, _ *teamMember, ids teamIDs) error { return m.remove("../invitations/" + ids.member) }},

		"after the session's end": {as: "admin", kind: provider.ErrRejected, hint: loginHint, do: func(m, _ *teamMember, ids teamIDs) error {
			ids.end("admin@case.test")
			_, err := m.members()
			return err
		}},
		"while Clerk is down":        {as: "admin", fault: clerk.FaultUnavailable, kind: provider.ErrUnavailable, do: one(provider.Invite{Email: carol})},
		"behind a proxy":             {as: "admin", fault: clerk.FaultHTML, kind: provider.ErrUnavailable, do: one(provider.Invite{Email: carol})},
		"without the Native API":     {as: "admin", fault: clerk.FaultNativeDisabled, kind: provider.ErrConfig, hint: "Native API", do: one(provider.Invite{Email: carol})},
		"with a sign-in by redirect": {as: "token", kind: provider.ErrConfig, text: "no session at Clerk", hint: "--method email", do: one(provider.Invite{Email: carol})},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			clock := devstack.NewClock(time.Now())
			b := &bench{t: t, Stack: devstacktest.Start(t, devstack.Options{Now: clock.Now})}
			p := b.provider()
			p.now = clock.Now
			org, err := b.Clerk.AddOrganization(clerk.Organization{Slug: "case"})
			if err != nil {
				t.Fatal(err)
			}
			var ids teamIDs
			add := func(u clerk.User) string {
				id, err := b.Clerk.AddUser(u)
				if err != nil {
					t.Fatal(err)
				}
				return id
			}
			in := func(role string) []clerk.Membership { return []clerk.Membership{{Organization: "case", Role: role}} }
			ids.admin = add(clerk.User{Email: "admin@case.test", Memberships: in("org:admin")})
			ids.member = add(clerk.User{Email: "member@case.test", FirstName: "Mel", LastName: "Ember", Memberships: in("org:member")})
			add(clerk.User{Email: "stranger@case.test", Memberships: []clerk.Membership{{Organization: "globex", Role: "org:admin"}}})
			add(clerk.User{Email: "loner@case.test"})
			who := func(as string) *teamMember {
				return &teamMember{t: t, p: p, credential: b.ticket(p, as+"@case.test"), org: org}
			}
			admin := who("admin")
			m := admin
			switch tt.as {
			case "admin":
			case "token":
				m = &teamMember{t: t, p: p, org: org, credential: provider.Credential{Data: stored{token: provider.NewSecret("a.b.c")}.encode(p.settings)}}
			default:
				m = who(tt.as)
			}
			ids.advance = func(d time.Duration) {
				clock.Advance(d)
				m.credential = b.ticket(p, tt.as+"@case.test") // the session has ended meanwhile
			}
			ids.accept = func(id, email string) { b.accept(p, id, email) }
			ids.end = func(email string) {
				for _, id := range b.Clerk.SessionIDs(b.Clerk.UserID(email)) {
					if err := b.Clerk.RevokeSession(id); err != nil {
						t.Error(err)
					}
				}
			}
			if tt.fault != "" {
				b.with(tt.fault)
			}
			err = tt.do(m, admin, ids)
			switch {
			case tt.kind == nil && err != nil:
				t.Fatalf("do = %v (hint: %s)", err, provider.Hint(err))
			case tt.kind == nil:
			case err == nil:
				t.Fatal("it succeeded")
			case tt.kind == errNone && (provider.Kind(err) != nil || errors.Is(err, errors.ErrUnsupported)):
				t.Errorf("Kind(%v) = %v, want none", err, provider.Kind(err))
			case tt.kind != errNone && !errors.Is(err, tt.kind):
				t.Errorf("%v is not %v", err, tt.kind)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.text) || !strings.Contains(provider.Hint(err), tt.hint)) {
				t.Errorf("do = %q (hint: %q), want %q (%q)", err, provider.Hint(err), tt.text, tt.hint)
			}
		})
	}
}

// accept accepts an invitation as the invited person, who does so on a page of the app.
func (b *bench) accept(p *clerkProvider, id, email string) {
	b.t.Helper()
	held, err := p.decodeCredential(b.ticket(p, email))
	if err != nil {
		b.t.Fatal(err)
	}
	address := b.Clerk.Issuer() + "/v1/me/organization_invitations/" + id + "/accept?_is_native=1&_clerk_session_id=" + held.session.ID
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(""))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", held.session.Client.Reveal())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.t.Fatal(resp.Status)
	}
}
