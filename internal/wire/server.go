package wire

import (
	"context"

	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// Register serves p: Provider, and of the other services those whose interface p
// implements. Description.Services is filled in from the same.
func Register(r grpc.ServiceRegistrar, p provider.Provider) {
	described := &providerServer{p: p}
	pb.RegisterProviderServer(r, described)
	if v, ok := p.(provider.Identity); ok {
		pb.RegisterIdentityServer(r, &identityServer{p: v})
		described.services = append(described.services, provider.ServiceIdentity)
	}
	if v, ok := p.(provider.TokenSource); ok {
		pb.RegisterTokenSourceServer(r, &tokenServer{p: v})
		described.services = append(described.services, provider.ServiceTokenSource)
	}
	if v, ok := p.(provider.Team); ok {
		pb.RegisterTeamServer(r, &teamServer{p: v})
		described.services = append(described.services, provider.ServiceTeam)
	}
}

type providerServer struct {
	pb.UnimplementedProviderServer
	p        provider.Provider
	services []provider.Service
}

func (s *providerServer) Describe(ctx context.Context, _ *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	description, err := s.p.Describe(ctx)
	if err != nil {
		return nil, StatusError(err)
	}
	description.Services = s.services
	return descriptionToWire(description), nil
}

func (s *providerServer) Configure(ctx context.Context, r *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	notes, err := s.p.Configure(ctx, settingsFromWire(r.GetSettings()))
	if err != nil {
		return nil, StatusError(err)
	}
	return &pb.ConfigureResponse{
		Notes: each(notes, func(n provider.Note) *pb.Note { return &pb.Note{Text: sentText(n.Text)} }),
	}, nil
}

func (s *providerServer) Check(_ *pb.CheckRequest, stream grpc.ServerStreamingServer[pb.CheckResponse]) error {
	return StatusError(s.p.Check(stream.Context(), func(f provider.Finding) error {
		return stream.Send(&pb.CheckResponse{Finding: findingToWire(f)})
	}))
}

type identityServer struct {
	pb.UnimplementedIdentityServer
	p provider.Identity
}

func (s *identityServer) Login(stream grpc.BidiStreamingServer[pb.LoginRequest, pb.LoginResponse]) error {
	return StatusError(serveLogin(s.p, stream))
}

func (s *identityServer) Refresh(ctx context.Context, r *pb.RefreshRequest) (*pb.RefreshResponse, error) {
	credential, err := s.p.Refresh(ctx, credentialFromWire(r.GetCredential()))
	if err != nil && credential.Data.IsZero() {
		return nil, StatusError(err)
	}
	return &pb.RefreshResponse{Credential: credentialToWire(credential), Failure: failureOf(err)}, nil
}

func (s *identityServer) Verify(ctx context.Context, r *pb.VerifyRequest) (*pb.VerifyResponse, error) {
	claims, err := s.p.Verify(ctx, provider.NewSecret(string(r.GetToken())))
	if err != nil {
		return nil, StatusError(err)
	}
	return &pb.VerifyResponse{Claims: claimsToWire(claims)}, nil
}

func (s *identityServer) Revoke(ctx context.Context, r *pb.RevokeRequest) (*pb.RevokeResponse, error) {
	if err := s.p.Revoke(ctx, credentialFromWire(r.GetCredential())); err != nil {
		return nil, StatusError(err)
	}
	return &pb.RevokeResponse{}, nil
}

type tokenServer struct {
	pb.UnimplementedTokenSourceServer
	p provider.TokenSource
}

func (s *tokenServer) Token(ctx context.Context, r *pb.TokenRequest) (*pb.TokenResponse, error) {
	request, err := tokenRequestFromWire(r)
	if err != nil {
		return nil, StatusError(err)
	}
	response, err := s.p.Token(ctx, request)
	switch {
	case err != nil && response.Credential == nil:
		return nil, StatusError(err)
	case err != nil:
		return &pb.TokenResponse{
			Credential: credentialToWire(*response.Credential), Failure: failureOf(err),
		}, nil
	}
	return &pb.TokenResponse{
		Token:      tokenToWire(response.Token),
		Credential: optional(response.Credential, credentialToWire),
	}, nil
}

type teamServer struct {
	pb.UnimplementedTeamServer
	p provider.Team
}

func (s *teamServer) Members(ctx context.Context, r *pb.MembersRequest) (*pb.MembersResponse, error) {
	members, err := s.p.Members(ctx, teamFromWire(r.GetContext()))
	if err != nil {
		return nil, StatusError(err)
	}
	return &pb.MembersResponse{Members: each(members, memberToWire)}, nil
}

func (s *teamServer) Invitations(ctx context.Context, r *pb.InvitationsRequest) (*pb.InvitationsResponse, error) {
	invitations, err := s.p.Invitations(ctx, teamFromWire(r.GetContext()))
	if err != nil {
		return nil, StatusError(err)
	}
	return &pb.InvitationsResponse{Invitations: each(invitations, invitationToWire)}, nil
}

func (s *teamServer) Invite(ctx context.Context, r *pb.InviteRequest) (*pb.InviteResponse, error) {
	invitation, err := s.p.Invite(ctx, teamFromWire(r.GetContext()), r.GetEmail(), r.GetRole())
	if err != nil {
		return nil, StatusError(err)
	}
	return &pb.InviteResponse{Invitation: invitationToWire(invitation)}, nil
}

func (s *teamServer) RevokeInvitation(
	ctx context.Context, r *pb.RevokeInvitationRequest,
) (*pb.RevokeInvitationResponse, error) {
	if err := s.p.RevokeInvitation(ctx, teamFromWire(r.GetContext()), r.GetId()); err != nil {
		return nil, StatusError(err)
	}
	return &pb.RevokeInvitationResponse{}, nil
}
