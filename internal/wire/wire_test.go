package wire_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/wire"
)

// connect serves p over gRPC in memory.
func connect(t *testing.T, p provider.Provider, options ...grpc.DialOption) *wire.Client {
	t.Helper()
	conn := dial(t, func(s *grpc.Server) { wire.Register(s, p) }, options...)
	return wire.NewClient(conn, nil)
}

func dial(t *testing.T, register func(*grpc.Server), options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(64 << 10)
	server := grpc.NewServer()
	register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///provider", append(options,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // stopped before Serve began
			t.Errorf("serve: %v", err)
		}
	})
	return conn
}

// bare is a provider without any other service.
type bare struct {
	description provider.Description
	configured  provider.Settings
	notes       []provider.Note
	findings    []provider.Finding
	err         error
}

func (b *bare) Describe(context.Context) (provider.Description, error) { return b.description, b.err }

func (b *bare) Configure(_ context.Context, s provider.Settings) ([]provider.Note, error) {
	b.configured = s
	return b.notes, b.err
}

func (b *bare) Check(_ context.Context, _ provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	for _, f := range b.findings {
		if err := report(f); err != nil {
			return nil, err
		}
	}
	return nil, b.err
}

// full implements every service, and records its requests.
type full struct {
	bare
	login func(context.Context, provider.LoginRequest, provider.Host) error

	gotCredential provider.Credential
	gotToken      provider.Secret
	gotRequest    provider.TokenRequest
	gotTeam       provider.TeamRequest
	gotArgs       []string
	gotAssertion  provider.AssertionRequest
	gotLookup     provider.LookupRequest
	gotSetup      provider.SetupRequest
	gotCheck      provider.CheckRequest
	gotFix        provider.FixRequest
	gotInvite     provider.Invite

	credential  provider.Credential
	claims      provider.Claims
	response    provider.TokenResponse
	members     []provider.Member
	invitations []provider.Invitation
	memberships []provider.Membership
	assertion   provider.Assertion
	databases   []provider.Database
	setup       provider.Setup
	progress    []provider.Progress
	fail        func(ctx context.Context) error
}

func (f *full) result(ctx context.Context) error {
	if f.fail != nil {
		return f.fail(ctx)
	}
	return nil
}

// next returns the credential that replaces the request's, or nil.
func (f *full) next() *provider.Credential {
	if f.credential.Data.IsZero() {
		return nil
	}
	return &f.credential
}

func (f *full) Login(ctx context.Context, r provider.LoginRequest, h provider.Host) error {
	return f.login(ctx, r, h)
}

func (f *full) Refresh(ctx context.Context, c provider.Credential) (provider.Credential, error) {
	f.gotCredential = c
	return f.credential, f.result(ctx)
}

func (f *full) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	f.gotToken = token
	return f.claims, f.result(ctx)
}

func (f *full) Revoke(ctx context.Context, c provider.Credential) error {
	f.gotCredential = c
	return f.result(ctx)
}

func (f *full) EndSessionURL(ctx context.Context, c provider.Credential) (string, error) {
	f.gotCredential = c
	return "https://login.example/logout", f.result(ctx)
}

func (f *full) Token(ctx context.Context, r provider.TokenRequest) (provider.TokenResponse, error) {
	f.gotRequest = r
	return f.response, f.result(ctx)
}

func (f *full) Assertion(ctx context.Context, r provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	f.gotAssertion = r
	return f.assertion, f.next(), f.result(ctx)
}

func (f *full) Database(ctx context.Context, r provider.LookupRequest) (provider.Database, *provider.Credential, error) {
	f.gotLookup = r
	return f.databases[0], f.next(), f.result(ctx)
}

func (f *full) Databases(ctx context.Context, r provider.LookupRequest, yield func(provider.Database) error) (*provider.Credential, error) {
	f.gotLookup = r
	for _, d := range f.databases {
		if err := yield(d); err != nil {
			return f.next(), err
		}
	}
	return f.next(), f.result(ctx)
}

func (f *full) Setup(ctx context.Context, r provider.SetupRequest) (provider.Setup, error) {
	f.gotSetup = r
	return f.setup, f.result(ctx)
}

func (f *full) Check(ctx context.Context, r provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	f.gotCheck = r
	if _, err := f.bare.Check(ctx, r, report); err != nil {
		return f.next(), err
	}
	return f.next(), f.result(ctx)
}

func (f *full) Fix(ctx context.Context, r provider.FixRequest, report func(provider.Progress) error) (*provider.Credential, error) {
	f.gotFix = r
	for _, p := range f.progress {
		if err := report(p); err != nil {
			return f.next(), err
		}
	}
	return f.next(), f.result(ctx)
}

func (f *full) Members(ctx context.Context, r provider.TeamRequest) ([]provider.Member, *provider.Credential, error) {
	f.gotTeam = r
	return f.members, f.next(), f.result(ctx)
}

func (f *full) Invitations(ctx context.Context, r provider.TeamRequest) ([]provider.Invitation, *provider.Credential, error) {
	f.gotTeam = r
	return f.invitations, f.next(), f.result(ctx)
}

func (f *full) Invite(ctx context.Context, r provider.TeamRequest, i provider.Invite) (provider.Invitation, *provider.Credential, error) {
	f.gotTeam, f.gotInvite = r, i
	return f.invitations[0], f.next(), f.result(ctx)
}

func (f *full) RevokeInvitation(ctx context.Context, r provider.TeamRequest, id string) (*provider.Credential, error) {
	f.gotTeam, f.gotArgs = r, []string{id}
	return f.next(), f.result(ctx)
}

func (f *full) RemoveMember(ctx context.Context, r provider.TeamRequest, id string) (*provider.Credential, error) {
	f.gotTeam, f.gotArgs = r, []string{id}
	return f.next(), f.result(ctx)
}

func (f *full) ChangeRole(ctx context.Context, r provider.TeamRequest, id, role string) (provider.Member, *provider.Credential, error) {
	f.gotTeam, f.gotArgs = r, []string{id, role}
	return f.members[0], f.next(), f.result(ctx)
}

func (f *full) Organizations(ctx context.Context, r provider.TeamRequest) ([]provider.Membership, *provider.Credential, error) {
	f.gotTeam = r
	return f.memberships, f.next(), f.result(ctx)
}

func (f *full) UseOrganization(ctx context.Context, r provider.TeamRequest) (provider.Membership, *provider.Credential, error) {
	f.gotTeam = r
	return f.memberships[0], f.next(), f.result(ctx)
}

// Interface guards
var (
	_ provider.Fixer           = (*full)(nil)
	_ provider.BrowserSession  = (*full)(nil)
	_ provider.Identity        = (*full)(nil)
	_ provider.TokenSource     = (*full)(nil)
	_ provider.AssertionSource = (*full)(nil)
	_ provider.Lookup          = (*full)(nil)
	_ provider.SetupGuide      = (*full)(nil)
	_ provider.Team            = (*full)(nil)
	_ provider.Organizations   = (*full)(nil)
)
