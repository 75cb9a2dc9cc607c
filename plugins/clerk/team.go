package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// rolePrefix begins the names of all roles, and defaultRole is the one in an instance
	// with unchanged roles.
	rolePrefix  = "org:"
	defaultRole = "org:member"
	// systemPermission is the prefix of permissions for Clerk's own pages, which are
	// never in a token.
	systemPermission = "org:sys_"
)

// member is a session with one of its user's organizations.
type member struct {
	*clerk.Session
	organization string
}

// asMember calls fn with the session of a credential, in the requested organization, and
// returns the credential to store in its place, or nil.
func (p *clerkProvider) asMember(ctx context.Context, req provider.TeamRequest, fn func(member) error) (*provider.Credential, error) {
	return p.withSession(req.Credential, func(held *stored) error {
		id, err := p.organizationID(ctx, held.session, req.Organization)
		if err != nil {
			return err
		}
		return fn(member{held.session, id})
	})
}

// withSession calls fn with the session of a credential.
func (p *clerkProvider) withSession(credential provider.Credential, fn func(*stored) error) (*provider.Credential, error) {
	held, err := p.decodeCredential(credential)
	if err != nil {
		return nil, err
	}
	if held.session == nil {
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: "clerk: this sign-in says who you are, and has no session at Clerk to act with in an organization",
			Hint:    "sign in by the method bridge or email: zen login --provider clerk --method email",
		}
	}
	before, organization := held.session.Client, held.organization
	err = fn(&held)
	if held.session.Client.Equal(before) && held.organization == organization {
		return nil, err
	}
	renewed := p.sessionCredential(held, credential.Subject, credential.Issued)
	return &renewed, err
}

// organizationID returns the id of an organization by its id or slug; of "" that of the active one.
func (p *clerkProvider) organizationID(ctx context.Context, s *clerk.Session, name string) (string, error) {
	if name == "" {
		if err := p.frontend.Reload(ctx, s); err != nil {
			return "", err
		}
		if s.Organization == "" {
			return "", &provider.Error{
				Kind: provider.ErrConfig, Message: "clerk: no organization is active in this sign-in",
				Hint: "zen org list shows yours, and zen org use ORG makes one active",
			}
		}
		return s.Organization, nil
	}
	if strings.HasPrefix(name, "org_") {
		return name, nil
	}
	memberships, err := p.frontend.Memberships(ctx, s)
	if err != nil {
		return "", err
	}
	for _, m := range memberships {
		if m.Organization.Slug == name {
			return m.Organization.ID, nil
		}
	}
	return "", notMember(name)
}

func notMember(name string) error {
	return &provider.Error{
		Kind: provider.ErrPermission, Message: fmt.Sprintf("clerk: you are in no organization %.60q", clerk.Harmless(name)),
		Hint: "zen org list shows yours",
	}
}

// Members implements provider.Team.
func (p *clerkProvider) Members(ctx context.Context, req provider.TeamRequest) (members []provider.Member, credential *provider.Credential, err error) {
	credential, err = p.asMember(ctx, req, func(m member) error {
		found, err := p.frontend.Members(ctx, m.Session, m.organization)
		for _, f := range found {
			members = append(members, memberOf(f))
		}
		return err
	})
	return members, credential, err
}

func memberOf(m clerk.Membership) provider.Member {
	return provider.Member{ID: m.UserID, Email: m.Identifier, Name: m.Name, Role: m.Organization.Role, Since: m.Since}
}

// Invitations implements provider.Team.
func (p *clerkProvider) Invitations(ctx context.Context, req provider.TeamRequest) (invitations []provider.Invitation, credential *provider.Credential, err error) {
	credential, err = p.asMember(ctx, req, func(m member) error {
		found, err := p.frontend.Invitations(ctx, m.Session, m.organization)
		for _, f := range found {
			invitations = append(invitations, provider.Invitation(f))
		}
		return err
	})
	return invitations, credential, err
}

// Invite implements provider.Team.
func (p *clerkProvider) Invite(ctx context.Context, req provider.TeamRequest, invite provider.Invite) (invitation provider.Invitation, credential *provider.Credential, err error) {
	if invite.RedirectURL != "" || invite.Lifetime != 0 {
		return invitation, nil, &provider.Error{
			Kind:    errors.ErrUnsupported,
			Message: "clerk: an invitation by a member takes no redirect URL and no lifetime: Clerk's Frontend API has neither",
			Hint:    "leave them out: it leads to where the instance says, and is good for 30 days; your app's backend, with its secret key, can set both",
		}
	}
	credential, err = p.asMember(ctx, req, func(m member) error {
		made, err := p.frontend.Invite(ctx, m.Session, m.organization, invite.Email, roleName(invite.Role))
		invitation = provider.Invitation(made)
		return err
	})
	return invitation, credential, err
}

// roleName returns Clerk's name of a role.
func roleName(role string) string {
	switch {
	case role == "":
		return defaultRole
	case strings.HasPrefix(role, rolePrefix):
		return role
	}
	return rolePrefix + role
}

// RevokeInvitation implements provider.Team.
func (p *clerkProvider) RevokeInvitation(ctx context.Context, req provider.TeamRequest, id string) (*provider.Credential, error) {
	return p.asMember(ctx, req, func(m member) error {
		return p.frontend.RevokeInvitation(ctx, m.Session, m.organization, id)
	})
}

// RemoveMember implements provider.Team.
func (p *clerkProvider) RemoveMember(ctx context.Context, req provider.TeamRequest, id string) (*provider.Credential, error) {
	return p.asMember(ctx, req, func(m member) error {
		return p.frontend.RemoveMember(ctx, m.Session, m.organization, id)
	})
}

// ChangeRole implements provider.Team.
func (p *clerkProvider) ChangeRole(ctx context.Context, req provider.TeamRequest, id, role string) (changed provider.Member, credential *provider.Credential, err error) {
	credential, err = p.asMember(ctx, req, func(m member) error {
		with, err := p.frontend.ChangeRole(ctx, m.Session, m.organization, id, roleName(role))
		changed = memberOf(with)
		return err
	})
	return changed, credential, err
}

// Organizations implements provider.Organizations.
func (p *clerkProvider) Organizations(ctx context.Context, req provider.TeamRequest) (memberships []provider.Membership, credential *provider.Credential, err error) {
	credential, err = p.withSession(req.Credential, func(held *stored) error {
		if err := p.frontend.Reload(ctx, held.session); err != nil {
			return err
		}
		memberships, err = p.memberships(ctx, held.session)
		return err
	})
	return memberships, credential, err
}

// memberships returns the organizations of a freshly read session.
func (p *clerkProvider) memberships(ctx context.Context, s *clerk.Session) ([]provider.Membership, error) {
	found, err := p.frontend.Memberships(ctx, s)
	if err != nil {
		return nil, err
	}
	memberships := make([]provider.Membership, 0, len(found))
	for _, f := range found {
		f.Organization.Permissions = slices.DeleteFunc(f.Organization.Permissions, func(permission string) bool {
			return strings.HasPrefix(permission, systemPermission)
		})
		memberships = append(memberships, provider.Membership{
			Organization: f.Organization, Name: f.OrganizationName, Active: f.Organization.ID == s.Organization,
		})
	}
	return memberships, nil
}

// UseOrganization implements provider.Organizations.
func (p *clerkProvider) UseOrganization(ctx context.Context, req provider.TeamRequest) (active provider.Membership, credential *provider.Credential, err error) {
	credential, err = p.withSession(req.Credential, func(held *stored) error {
		s := held.session
		if err := p.frontend.Activate(ctx, s, req.Organization); err != nil {
			return err
		}
		if s.Organization == "" {
			held.organization = ""
			return nil
		}
		if req.Organization == "" {
			return &provider.Error{
				Kind: provider.ErrConfig, Message: "clerk: this instance wants everybody to be in an organization: the active one is as before",
				Hint: "zen org use ORG makes another one active",
			}
		}
		memberships, err := p.memberships(ctx, s)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(memberships, func(m provider.Membership) bool { return m.Active })
		if i < 0 {
			return notMember(req.Organization)
		}
		active = memberships[i]
		held.organization = organizationMark(&active.Organization)
		return nil
	})
	return active, credential, err
}

// Interface guards
var (
	_ provider.Team          = (*clerkProvider)(nil)
	_ provider.Organizations = (*clerkProvider)(nil)
)
