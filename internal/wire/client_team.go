package wire

import (
	"context"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// Members implements provider.Team.
func (c *Client) Members(ctx context.Context, req provider.TeamRequest) ([]provider.Member, *provider.Credential, error) {
	r, err := c.team.Members(ctx, &pb.MembersRequest{Context: teamToWire(req)})
	if err != nil {
		return nil, nil, c.fail(err)
	}
	credential, err := c.replaced(r)
	return each(r.GetMembers(), memberFromWire), credential, err
}

// Invitations implements provider.Team.
func (c *Client) Invitations(ctx context.Context, req provider.TeamRequest) ([]provider.Invitation, *provider.Credential, error) {
	r, err := c.team.Invitations(ctx, &pb.InvitationsRequest{Context: teamToWire(req)})
	if err != nil {
		return nil, nil, c.fail(err)
	}
	credential, err := c.replaced(r)
	return each(r.GetInvitations(), invitationFromWire), credential, err
}

// Invite implements provider.Team.
func (c *Client) Invite(ctx context.Context, req provider.TeamRequest, invite provider.Invite) (provider.Invitation, *provider.Credential, error) {
	r, err := c.team.Invite(ctx, inviteToWire(req, invite))
	if err != nil {
		return provider.Invitation{}, nil, c.fail(err)
	}
	credential, err := c.replaced(r)
	return invitationFromWire(r.GetInvitation()), credential, err
}

// RevokeInvitation implements provider.Team.
func (c *Client) RevokeInvitation(ctx context.Context, req provider.TeamRequest, id string) (*provider.Credential, error) {
	r, err := c.team.RevokeInvitation(ctx, &pb.RevokeInvitationRequest{Context: teamToWire(req), Id: id})
	if err != nil {
		return nil, c.fail(err)
	}
	return c.replaced(r)
}

// RemoveMember implements provider.Team.
func (c *Client) RemoveMember(ctx context.Context, req provider.TeamRequest, id string) (*provider.Credential, error) {
	r, err := c.team.RemoveMember(ctx, &pb.RemoveMemberRequest{Context: teamToWire(req), Id: id})
	if err != nil {
		return nil, c.fail(err)
	}
	return c.replaced(r)
}

// ChangeRole implements provider.Team.
func (c *Client) ChangeRole(ctx context.Context, req provider.TeamRequest, id, role string) (provider.Member, *provider.Credential, error) {
	r, err := c.team.ChangeRole(ctx, &pb.ChangeRoleRequest{Context: teamToWire(req), Id: id, Role: role})
	if err != nil {
		return provider.Member{}, nil, c.fail(err)
	}
	credential, err := c.replaced(r)
	return memberFromWire(r.GetMember()), credential, err
}

// Organizations implements provider.Organizations.
func (c *Client) Organizations(ctx context.Context, req provider.TeamRequest) ([]provider.Membership, *provider.Credential, error) {
	r, err := c.orgs.Organizations(ctx, &pb.OrganizationsRequest{Context: teamToWire(req)})
	if err != nil {
		return nil, nil, c.fail(err)
	}
	credential, err := c.replaced(r)
	return each(r.GetMemberships(), membershipFromWire), credential, err
}

// UseOrganization implements provider.Organizations.
func (c *Client) UseOrganization(ctx context.Context, req provider.TeamRequest) (provider.Membership, *provider.Credential, error) {
	r, err := c.orgs.UseOrganization(ctx, &pb.UseOrganizationRequest{Context: teamToWire(req)})
	if err != nil {
		return provider.Membership{}, nil, c.fail(err)
	}
	credential, err := c.replaced(r)
	return membershipFromWire(r.GetMembership()), credential, err
}
