package conformance

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// The made-up secrets that the probes send. No server has ever issued them.
const (
	plantedCredential = `{"v":1,"planted":"zen-test-credential-5a1b2c3d4e5f"}`
	plantedToken      = "zen-test-token-6b7c8d9eaf0b1c2d"
	plantedSetting    = "zen-test-setting-7d8e9fa0b1c2d3e4"
	plantedAnswer     = "zen-test-answer-8f90a1b2c3d4e5f6"
)

// plantedAudience is the audience that assertions are requested for.
const plantedAudience = "https://audience.example.invalid"

// probe is a valid call that can't succeed, because its credential was never issued.
type probe struct {
	service provider.Service
	method  string
	request proto.Message
	reply   func() proto.Message
}

func (s *suite) allProbes() []probe {
	credential := &pb.Credential{Data: []byte(plantedCredential), Subject: "nobody"}
	team := &pb.TeamContext{Credential: credential, Organization: "nowhere"}
	return []probe{
		{provider.ServiceTokenSource, "Token", s.tokenRequest(credential, pb.Access_ACCESS_READ_ONLY), func() proto.Message { return &pb.TokenResponse{} }},
		{provider.ServiceIdentity, "Refresh", &pb.RefreshRequest{Credential: credential}, func() proto.Message { return &pb.RefreshResponse{} }},
		{provider.ServiceIdentity, "Verify", &pb.VerifyRequest{Token: []byte(plantedToken)}, func() proto.Message { return &pb.VerifyResponse{} }},
		{provider.ServiceIdentity, "Revoke", &pb.RevokeRequest{Credential: credential}, func() proto.Message { return &pb.RevokeResponse{} }},
		{provider.ServiceAssertion, "Assert", &pb.AssertRequest{Credential: credential, Audience: plantedAudience, Kinds: []string{string(provider.AssertionJWT)}}, func() proto.Message { return &pb.AssertResponse{} }},
		{provider.ServiceLookup, "Database", &pb.DatabaseRequest{Credential: credential, Name: "nothing"}, func() proto.Message { return &pb.DatabaseResponse{} }},
		{provider.ServiceSetup, "Setup", &pb.SetupRequest{Purpose: s.purpose()}, func() proto.Message { return &pb.SetupResponse{} }},
		{provider.ServiceTeam, "Members", &pb.MembersRequest{Context: team}, func() proto.Message { return &pb.MembersResponse{} }},
		{provider.ServiceTeam, "Invitations", &pb.InvitationsRequest{Context: team}, func() proto.Message { return &pb.InvitationsResponse{} }},
		{provider.ServiceTeam, "Invite", &pb.InviteRequest{Context: team, Email: "nobody@example.invalid", Role: "none"}, func() proto.Message { return &pb.InviteResponse{} }},
		{provider.ServiceTeam, "RevokeInvitation", &pb.RevokeInvitationRequest{Context: team, Id: "none"}, func() proto.Message { return &pb.RevokeInvitationResponse{} }},
		{provider.ServiceTeam, "RemoveMember", &pb.RemoveMemberRequest{Context: team, Id: "none"}, func() proto.Message { return &pb.RemoveMemberResponse{} }},
		{provider.ServiceTeam, "ChangeRole", &pb.ChangeRoleRequest{Context: team, Id: "none", Role: "none"}, func() proto.Message { return &pb.ChangeRoleResponse{} }},
		{provider.ServiceOrganizations, "Organizations", &pb.OrganizationsRequest{Context: team}, func() proto.Message { return &pb.OrganizationsResponse{} }},
		{provider.ServiceOrganizations, "UseOrganization", &pb.UseOrganizationRequest{Context: team}, func() proto.Message { return &pb.UseOrganizationResponse{} }},
	}
}

// probes returns the calls of the services that the provider has.
func (s *suite) probes() []probe {
	return slices.DeleteFunc(s.allProbes(), func(p probe) bool { return !s.has(p.service) })
}

func (s *suite) has(service provider.Service) bool {
	return slices.Contains(s.description.GetServices(), string(service))
}

func (s *suite) tokenRequest(credential *pb.Credential, access pb.Access) *pb.TokenRequest {
	return &pb.TokenRequest{
		Credential: credential, Access: access, Lifetime: durationpb.New(10 * time.Minute),
		Target: &pb.Target{Url: s.options.Database.URL, DatabaseId: s.options.Database.DatabaseID},
	}
}

func (s *suite) purpose() *pb.Purpose {
	return &pb.Purpose{
		Target: &pb.Target{Url: s.options.Database.URL, DatabaseId: s.options.Database.DatabaseID}, Audience: plantedAudience,
		Template: `{"id":"zen-test","a":"rw"}`, ReadOnlyTemplate: `{"id":"zen-test","a":"ro"}`,
	}
}

func (p probe) full() string { return "/" + string(p.service) + "/" + p.method }

// name returns the short name of the method, Service/Method.
func (p probe) name() string { return shortMethod(p.full()) }

// call makes the call, within limit.
func (p probe) call(ctx context.Context, conn *grpc.ClientConn, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	reply := p.reply()
	err := conn.Invoke(ctx, p.full(), p.request, reply)
	if err != nil {
		return err
	}
	if f, ok := reply.(interface{ GetFailure() *pb.Failure }); ok && f.GetFailure() != nil {
		return failed{f.GetFailure()}
	}
	return nil
}

// failed is an error that comes as a response, which may also replace the credential.
type failed struct{ failure *pb.Failure }

func (f failed) Error() string { return f.failure.GetMessage() }

// outcome returns what to compare of a call's result, without what may differ from call to
// call.
func outcome(err error) string {
	if f, ok := err.(failed); ok {
		return "failure " + f.failure.GetReason()
	}
	if err == nil {
		return "ok"
	}
	if reason := reasonOf(err); reason != "" {
		return reason
	}
	return "without a reason: " + err.Error()
}

// greased returns a copy of m with fields that no version of the protocol has.
func greased[M proto.Message](m M) M {
	m = proto.Clone(m).(M)
	var unknown []byte
	unknown = protowire.AppendTag(unknown, 19001, protowire.BytesType)
	unknown = protowire.AppendString(unknown, "grease")
	unknown = protowire.AppendTag(unknown, 19002, protowire.VarintType)
	unknown = protowire.AppendVarint(unknown, 1<<40)
	unknown = protowire.AppendTag(unknown, 19003, protowire.Fixed64Type)
	unknown = protowire.AppendFixed64(unknown, 42)
	m.ProtoReflect().SetUnknown(unknown)
	return m
}
