// Package team acts in an organization in the name of a profile's sign-in.
package team

import (
	"context"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/session"
)

// Team is one organization, in which the sign-in of a session acts by its own rights.
// Each call holds the profile's lock, as it may replace the credential.
type Team struct {
	session      *session.Session
	organization string
}

// New is the organization by its id or slug; "" is the one that the profile is held to, or
// else the active one of the sign-in.
func New(s *session.Session, organization string) (*Team, error) {
	config := s.Config()
	if err := config.CheckHeld(organization); err != nil {
		return nil, err
	}
	if organization == "" {
		organization = config.Organization
	}
	return &Team{s, organization}, nil
}

// Of is [New] for an organization whose id and slug are known: the profile may be held to
// it by either.
func Of(s *session.Session, o provider.Organization) (*Team, error) {
	config := s.Config()
	if err := config.CheckMembership(&o); err != nil {
		return nil, err
	}
	return &Team{s, o.ID}, nil
}

// Members are those of the organization.
func (t *Team) Members(ctx context.Context) ([]provider.Member, error) {
	return session.Act(ctx, t.session, session.Action[provider.Team, []provider.Member]{
		Do: func(ctx context.Context, p provider.Team, c provider.Credential) ([]provider.Member, *provider.Credential, error) {
			return p.Members(ctx, t.request(c))
		},
	})
}

// Invitations are those that are pending.
func (t *Team) Invitations(ctx context.Context) ([]provider.Invitation, error) {
	return session.Act(ctx, t.session, session.Action[provider.Team, []provider.Invitation]{
		Do: func(ctx context.Context, p provider.Team, c provider.Credential) ([]provider.Invitation, *provider.Credential, error) {
			return p.Invitations(ctx, t.request(c))
		},
	})
}

// Invite asks a person into the organization.
func (t *Team) Invite(ctx context.Context, invite provider.Invite) (provider.Invitation, error) {
	return change(ctx, t, audit.Invite, invite.Email, invite.Role, func(ctx context.Context, p provider.Team, c provider.Credential) (provider.Invitation, *provider.Credential, error) {
		return p.Invite(ctx, t.request(c), invite)
	})
}

// RevokeInvitation ends an invitation.
func (t *Team) RevokeInvitation(ctx context.Context, invitation provider.Invitation) error {
	_, err := change(ctx, t, audit.RevokeInvitation, invitation.Email, "", func(ctx context.Context, p provider.Team, c provider.Credential) (struct{}, *provider.Credential, error) {
		replaced, err := p.RevokeInvitation(ctx, t.request(c), invitation.ID)
		return struct{}{}, replaced, err
	})
	return err
}

// RemoveMember takes a member out of the organization.
func (t *Team) RemoveMember(ctx context.Context, member provider.Member) error {
	_, err := change(ctx, t, audit.RemoveMember, member.ID, "", func(ctx context.Context, p provider.Team, c provider.Credential) (struct{}, *provider.Credential, error) {
		replaced, err := p.RemoveMember(ctx, t.request(c), member.ID)
		return struct{}{}, replaced, err
	})
	return err
}

// ChangeRole gives a member another role.
func (t *Team) ChangeRole(ctx context.Context, member provider.Member, role string) (provider.Member, error) {
	return change(ctx, t, audit.ChangeRole, member.ID, role, func(ctx context.Context, p provider.Team, c provider.Credential) (provider.Member, *provider.Credential, error) {
		return p.ChangeRole(ctx, t.request(c), member.ID, role)
	})
}

func (t *Team) request(c provider.Credential) provider.TeamRequest {
	return provider.TeamRequest{Credential: c, Organization: t.organization}
}

// change does what the audit log tells.
func change[T any](ctx context.Context, t *Team, kind audit.Kind, member, role string, do func(context.Context, provider.Team, provider.Credential) (T, *provider.Credential, error)) (T, error) {
	return session.Act(ctx, t.session, session.Action[provider.Team, T]{Do: do, Event: func(T) audit.Event {
		return audit.Event{Kind: kind, Organization: t.organization, Member: member, Role: role}
	}})
}
