// Package team acts in an organization in the name of a profile's sign-in.
package team

import (
	"cmp"
	"context"
	"fmt"

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

// New returns the organization by its id or slug; "" means the one that the profile is held to, or
// else the active one of the sign-in.
func New(s *session.Session, organization string) (*Team, error) {
	config := s.Config()
	if err := config.CheckHeld(organization); err != nil {
		return nil, err
	}
	organization = cmp.Or(organization, config.Organization)
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

// The actions of a team, as session.ActRequest.Do has them.
const (
	actMembers     = "members"
	actInvitations = "invitations"
	actInvite      = "invite"
	actRevoke      = "revoke-invitation"
	actRemove      = "remove-member"
	actRole        = "change-role"
)

// Perform performs the action that another process requested, which has found the
// organization to be one that the profile may act in. The session performs it itself.
func Perform(ctx context.Context, s *session.Session, r session.ActRequest) (result any, err error) {
	t := &Team{s, r.Organization}
	switch r.Do {
	case session.ActOrganizations:
		return s.Organizations(ctx)
	case session.ActUseOrganization:
		return s.UseOrganization(ctx, r.Organization)
	case actMembers:
		return t.Members(ctx)
	case actInvitations:
		return t.Invitations(ctx)
	case actInvite:
		return t.Invite(ctx, r.Invite)
	case actRevoke:
		return struct{}{}, t.RevokeInvitation(ctx, provider.Invitation{ID: r.ID, Email: r.Email})
	case actRemove:
		return struct{}{}, t.RemoveMember(ctx, provider.Member{ID: r.ID})
	case actRole:
		return t.ChangeRole(ctx, provider.Member{ID: r.ID}, r.Role)
	}
	return nil, fmt.Errorf("%w: there is no action %.40q", provider.ErrConfig, r.Do)
}

// Members returns the members of the organization.
func (t *Team) Members(ctx context.Context) ([]provider.Member, error) {
	return session.Act(ctx, t.session, session.Action[provider.Team, []provider.Member]{
		Request: session.ActRequest{Do: actMembers, Organization: t.organization},
		Do: func(ctx context.Context, p provider.Team, c provider.Credential) ([]provider.Member, *provider.Credential, error) {
			return p.Members(ctx, t.request(c))
		},
	})
}

// Invitations returns the pending ones.
func (t *Team) Invitations(ctx context.Context) ([]provider.Invitation, error) {
	return session.Act(ctx, t.session, session.Action[provider.Team, []provider.Invitation]{
		Request: session.ActRequest{Do: actInvitations, Organization: t.organization},
		Do: func(ctx context.Context, p provider.Team, c provider.Credential) ([]provider.Invitation, *provider.Credential, error) {
			return p.Invitations(ctx, t.request(c))
		},
	})
}

// Invite asks a person into the organization.
func (t *Team) Invite(ctx context.Context, invite provider.Invite) (provider.Invitation, error) {
	request := session.ActRequest{Do: actInvite, Invite: invite}
	return change(ctx, t, request, audit.Event{Kind: audit.Invite, Member: invite.Email, Role: invite.Role}, func(ctx context.Context, p provider.Team, c provider.Credential) (provider.Invitation, *provider.Credential, error) {
		return p.Invite(ctx, t.request(c), invite)
	})
}

// RevokeInvitation ends an invitation.
func (t *Team) RevokeInvitation(ctx context.Context, invitation provider.Invitation) error {
	request := session.ActRequest{Do: actRevoke, ID: invitation.ID, Email: invitation.Email}
	_, err := change(ctx, t, request, audit.Event{Kind: audit.RevokeInvitation, Member: invitation.Email}, func(ctx context.Context, p provider.Team, c provider.Credential) (struct{}, *provider.Credential, error) {
		replaced, err := p.RevokeInvitation(ctx, t.request(c), invitation.ID)
		return struct{}{}, replaced, err
	})
	return err
}

// RemoveMember takes a member out of the organization.
func (t *Team) RemoveMember(ctx context.Context, member provider.Member) error {
	request := session.ActRequest{Do: actRemove, ID: member.ID}
	_, err := change(ctx, t, request, audit.Event{Kind: audit.RemoveMember, Member: member.ID}, func(ctx context.Context, p provider.Team, c provider.Credential) (struct{}, *provider.Credential, error) {
		replaced, err := p.RemoveMember(ctx, t.request(c), member.ID)
		return struct{}{}, replaced, err
	})
	return err
}

// ChangeRole gives a member another role.
func (t *Team) ChangeRole(ctx context.Context, member provider.Member, role string) (provider.Member, error) {
	request := session.ActRequest{Do: actRole, ID: member.ID, Role: role}
	return change(ctx, t, request, audit.Event{Kind: audit.ChangeRole, Member: member.ID, Role: role}, func(ctx context.Context, p provider.Team, c provider.Credential) (provider.Member, *provider.Credential, error) {
		return p.ChangeRole(ctx, t.request(c), member.ID, role)
	})
}

func (t *Team) request(c provider.Credential) provider.TeamRequest {
	return provider.TeamRequest{Credential: c, Organization: t.organization}
}

// change makes a change that the audit log records.
func change[T any](ctx context.Context, t *Team, request session.ActRequest, event audit.Event, do func(context.Context, provider.Team, provider.Credential) (T, *provider.Credential, error)) (T, error) {
	request.Organization, event.Organization = t.organization, t.organization
	return session.Act(ctx, t.session, session.Action[provider.Team, T]{Request: request, Do: do, Event: func(T) audit.Event { return event }})
}
