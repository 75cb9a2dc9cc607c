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
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
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

func (b *bare) Check(_ context.Context, report func(provider.Finding) error) error {
	for _, f := range b.findings {
		if err := report(f); err != nil {
			return err
		}
	}
	return b.err
}

// full serves everything and answers what it was given.
type full struct {
	bare
	login func(context.Context, provider.LoginRequest, provider.Host) error

	gotCredential provider.Credential
	gotToken      provider.Secret
	gotRequest    provider.TokenRequest
	gotTeam       provider.TeamRequest
	gotArgs       []string

	credential  provider.Credential
	claims      provider.Claims
	response    provider.TokenResponse
	members     []provider.Member
	invitations []provider.Invitation
	fail        func(ctx context.Context) error
}

func (f *full) result(ctx context.Context) error {
	if f.fail != nil {
		return f.fail(ctx)
	}
	return nil
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

func (f *full) Token(ctx context.Context, r provider.TokenRequest) (provider.TokenResponse, error) {
	f.gotRequest = r
	return f.response, f.result(ctx)
}

func (f *full) Members(ctx context.Context, r provider.TeamRequest) ([]provider.Member, error) {
	f.gotTeam = r
	return f.members, f.result(ctx)
}

func (f *full) Invitations(ctx context.Context, r provider.TeamRequest) ([]provider.Invitation, error) {
	f.gotTeam = r
	return f.invitations, f.result(ctx)
}

func (f *full) Invite(
	ctx context.Context, r provider.TeamRequest, email, role string,
) (provider.Invitation, error) {
	f.gotTeam, f.gotArgs = r, []string{email, role}
	return f.invitations[0], f.result(ctx)
}

func (f *full) RevokeInvitation(ctx context.Context, r provider.TeamRequest, id string) error {
	f.gotTeam, f.gotArgs = r, []string{id}
	return f.result(ctx)
}

// Interface guards
var (
	_ provider.Identity    = (*full)(nil)
	_ provider.TokenSource = (*full)(nil)
	_ provider.Team        = (*full)(nil)
)
