package wire

import (
	"context"
	"errors"
	"fmt"

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
	if v, ok := p.(provider.AssertionSource); ok {
		pb.RegisterAssertionServer(r, &assertionServer{p: v})
		described.services = append(described.services, provider.ServiceAssertion)
	}
	if v, ok := p.(provider.Lookup); ok {
		pb.RegisterLookupServer(r, &lookupServer{p: v})
		described.services = append(described.services, provider.ServiceLookup)
	}
	if v, ok := p.(provider.SetupGuide); ok {
		pb.RegisterSetupServer(r, &setupServer{p: v})
		described.services = append(described.services, provider.ServiceSetup)
	}
	if v, ok := p.(provider.Team); ok {
		pb.RegisterTeamServer(r, &teamServer{p: v})
		described.services = append(described.services, provider.ServiceTeam)
	}
	if v, ok := p.(provider.Organizations); ok {
		pb.RegisterOrganizationsServer(r, &organizationsServer{p: v})
		described.services = append(described.services, provider.ServiceOrganizations)
	}
}

// beside puts what a call has beside its result into the answer: the credential that
// replaces the one of the request, and what failed. Without a credential, an error is a
// status.
func beside(credential *provider.Credential, err error) (*pb.Credential, *pb.Failure, error) {
	if credential == nil {
		return nil, nil, StatusError(err)
	}
	return credentialToWire(*credential), failureOf(err), nil
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

func (s *identityServer) EndSession(ctx context.Context, r *pb.EndSessionRequest) (*pb.EndSessionResponse, error) {
	browser, ok := s.p.(provider.BrowserSession)
	if !ok {
		return nil, StatusError(fmt.Errorf("this provider's issuer keeps no browser signed in: %w", errors.ErrUnsupported))
	}
	address, err := browser.EndSessionURL(ctx, credentialFromWire(r.GetCredential()))
	if err != nil {
		return nil, StatusError(err)
	}
	return &pb.EndSessionResponse{Url: address}, nil
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
		DatabaseId: response.DatabaseID,
	}, nil
}

type assertionServer struct {
	pb.UnimplementedAssertionServer
	p provider.AssertionSource
}

func (s *assertionServer) Assert(ctx context.Context, r *pb.AssertRequest) (*pb.AssertResponse, error) {
	assertion, credential, err := s.p.Assertion(ctx, assertionRequestFromWire(r))
	var answer pb.AssertResponse
	if err == nil {
		answer.Statement = assertionToWire(assertion)
	}
	answer.Credential, answer.Failure, err = beside(credential, err)
	return &answer, err
}

type lookupServer struct {
	pb.UnimplementedLookupServer
	p provider.Lookup
}

func (s *lookupServer) Database(ctx context.Context, r *pb.DatabaseRequest) (*pb.DatabaseResponse, error) {
	database, credential, err := s.p.Database(ctx, lookupFromWire(r.GetCredential(), r.GetOrganization(), r.GetName()))
	var answer pb.DatabaseResponse
	if err == nil {
		answer.Database = databaseInfoToWire(database)
	}
	answer.Credential, answer.Failure, err = beside(credential, err)
	return &answer, err
}

func (s *lookupServer) Databases(r *pb.DatabasesRequest, stream grpc.ServerStreamingServer[pb.DatabasesResponse]) error {
	credential, err := s.p.Databases(stream.Context(), lookupFromWire(r.GetCredential(), r.GetOrganization(), ""), func(d provider.Database) error {
		return stream.Send(&pb.DatabasesResponse{Database: databaseInfoToWire(d)})
	})
	var last pb.DatabasesResponse
	if last.Credential, last.Failure, err = beside(credential, err); last.Credential != nil {
		err = stream.Send(&last)
	}
	return err
}

type setupServer struct {
	pb.UnimplementedSetupServer
	p provider.SetupGuide
}

func (s *setupServer) Setup(ctx context.Context, r *pb.SetupRequest) (*pb.SetupResponse, error) {
	purpose, err := purposeFromWire(r.GetPurpose())
	if err != nil {
		return nil, StatusError(err)
	}
	setup, err := s.p.Setup(ctx, provider.SetupRequest{Purpose: purpose, Topic: r.GetTopic()})
	if err != nil {
		return nil, StatusError(err)
	}
	return setupToWire(setup), nil
}
