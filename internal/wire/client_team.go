package wire

import (
	"context"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// Members implements provider.Team.
func (c *Client) Members(ctx context.Context, req provider.TeamRequest) ([]provider.Member, *provider.Credential, error) {
	r, err := c.team.Members(ctx, &pb.MembersRequest{Context: teamToWire(req)})
	credential, err := c.replaced(r, err)
	return each(r.GetMembers(), memberFromWire), credential, err
}

// Invitations implements provider.Team.
func (c *Client) Invitations(ctx context.Context, req provider.TeamRequest) ([]provider.Invitation, *provider.Credential, error) {
	r, err := c.team.Invitations(ctx, &pb.InvitationsRequest{Context: teamToWire(req)})
	credential, err := c.replaced(r, err)
	return each(r.GetInvitations(), invitationFromWire), credential, err
}

// Invite implements provider.Team.
func (c *Client) Invite(ctx context.Context, req provider.TeamRequest, invite provider.Invite) (provider.Invitation, *provider.Credential, error) {
	r, err := c.team.Invite(ctx, inviteToWire(req, invite))
	credential, err := c.replaced(r, err)
	return invitationFromWire(r.GetInvitation()), credential, err
}

// RevokeInvitation implements provider.Team.
func (c *Client) RevokeInvitation(ctx context.Context, req provider.TeamRequest, id string) (*provider.Credential, error) {
	return c.replaced(c.team.RevokeInvitation(ctx, &pb.RevokeInvitationRequest{Context: teamToWire(req), Id: id}))
}

// RemoveMember implements provider.Team.
func (c *Client) RemoveMember(ctx context.Context, req provider.TeamRequest, id string) (*provider.Credential, error) {
	return c.replaced(c.team.RemoveMember(ctx, &pb.RemoveMemberRequest{Context: teamToWire(req), Id: id}))
}

// ChangeRole implements provider.Team.
func (c *Client) ChangeRole(ctx context.Context, req provider.TeamRequest, id, role string) (provider.Member, *provider.Credential, error) {
	r, err := c.team.ChangeRole(ctx, &pb.ChangeRoleRequest{Context: teamToWire(req), Id: id, Role: role})
	credential, err := c.replaced(r, err)
	return memberFromWire(r.GetMember()), credential, err
}

// Organizations implements provider.Organizations.
func (c *Client) Organizations(ctx context.Context, req provider.TeamRequest) ([]provider.Membership, *provider.Credential, error) {
	r, err := c.orgs.Organizations(ctx, &pb.OrganizationsRequest{Context: teamToWire(req)})
	credential, err := c.replaced(r, err)
	return each(r.GetMemberships(), membershipFromWire), credential, err
}

// UseOrganization implements provider.Organizations.
func (c *Client) UseOrganization(ctx context.Context, req provider.TeamRequest) (provider.Membership, *provider.Credential, error) {
	r, err := c.orgs.UseOrganization(ctx, &pb.UseOrganizationRequest{Context: teamToWire(req)})
	credential, err := c.replaced(r, err)
	return membershipFromWire(r.GetMembership()), credential, err
}
