package wire

import (
	"context"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

type teamServer struct {
	pb.UnimplementedTeamServer
	p provider.Team
}

func (s *teamServer) Members(ctx context.Context, r *pb.MembersRequest) (*pb.MembersResponse, error) {
	members, credential, err := s.p.Members(ctx, teamFromWire(r.GetContext()))
	answer := pb.MembersResponse{Members: each(members, memberToWire)}
	answer.Credential, answer.Failure, err = beside(credential, err)
	return &answer, err
}

func (s *teamServer) Invitations(ctx context.Context, r *pb.InvitationsRequest) (*pb.InvitationsResponse, error) {
	invitations, credential, err := s.p.Invitations(ctx, teamFromWire(r.GetContext()))
	answer := pb.InvitationsResponse{Invitations: each(invitations, invitationToWire)}
	answer.Credential, answer.Failure, err = beside(credential, err)
	return &answer, err
}

func (s *teamServer) Invite(ctx context.Context, r *pb.InviteRequest) (*pb.InviteResponse, error) {
	invitation, credential, err := s.p.Invite(ctx, teamFromWire(r.GetContext()), inviteFromWire(r))
	answer := pb.InviteResponse{Invitation: invitationToWire(invitation)}
	answer.Credential, answer.Failure, err = beside(credential, err)
	return &answer, err
}

func (s *teamServer) RevokeInvitation(
	ctx context.Context, r *pb.RevokeInvitationRequest,
) (answer *pb.RevokeInvitationResponse, err error) {
	answer = new(pb.RevokeInvitationResponse)
	answer.Credential, answer.Failure, err = beside(s.p.RevokeInvitation(ctx, teamFromWire(r.GetContext()), r.GetId()))
	return answer, err
}

func (s *teamServer) RemoveMember(
	ctx context.Context, r *pb.RemoveMemberRequest,
) (answer *pb.RemoveMemberResponse, err error) {
	answer = new(pb.RemoveMemberResponse)
	answer.Credential, answer.Failure, err = beside(s.p.RemoveMember(ctx, teamFromWire(r.GetContext()), r.GetId()))
	return answer, err
}

func (s *teamServer) ChangeRole(ctx context.Context, r *pb.ChangeRoleRequest) (*pb.ChangeRoleResponse, error) {
	member, credential, err := s.p.ChangeRole(ctx, teamFromWire(r.GetContext()), r.GetId(), r.GetRole())
	answer := pb.ChangeRoleResponse{Member: memberToWire(member)}
	answer.Credential, answer.Failure, err = beside(credential, err)
	return &answer, err
}

type organizationsServer struct {
	pb.UnimplementedOrganizationsServer
	p provider.Organizations
}

func (s *organizationsServer) Organizations(
	ctx context.Context, r *pb.OrganizationsRequest,
) (*pb.OrganizationsResponse, error) {
	memberships, credential, err := s.p.Organizations(ctx, teamFromWire(r.GetContext()))
	answer := pb.OrganizationsResponse{Memberships: each(memberships, membershipToWire)}
	answer.Credential, answer.Failure, err = beside(credential, err)
	return &answer, err
}

func (s *organizationsServer) UseOrganization(
	ctx context.Context, r *pb.UseOrganizationRequest,
) (*pb.UseOrganizationResponse, error) {
	membership, credential, err := s.p.UseOrganization(ctx, teamFromWire(r.GetContext()))
	answer := pb.UseOrganizationResponse{Membership: membershipToWire(membership)}
	answer.Credential, answer.Failure, err = beside(credential, err)
	return &answer, err
}
