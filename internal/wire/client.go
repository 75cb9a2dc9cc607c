package wire

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/provider"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

// Client calls a provider over a connection. Its errors are those of package
// provider; a service that the other side doesn't have is errors.ErrUnsupported.
// It is safe for concurrent use and doesn't own the connection.
type Client struct {
	provider pb.ProviderClient
	identity pb.IdentityClient
	tokens   pb.TokenSourceClient
	team     pb.TeamClient
	redact   func(string) string
}

// NewClient returns a client on conn. redact is applied to errors, findings and
// notes, which may end in a log or a report, before they are shortened; nil leaves
// them as they are.
func NewClient(conn grpc.ClientConnInterface, redact func(string) string) *Client {
	if redact == nil {
		redact = func(s string) string { return s }
	}
	return &Client{
		provider: pb.NewProviderClient(conn),
		identity: pb.NewIdentityClient(conn),
		tokens:   pb.NewTokenSourceClient(conn),
		team:     pb.NewTeamClient(conn),
		redact:   redact,
	}
}

// text prepares foreign text that may be kept.
func (c *Client) text(s string) string { return receivedText(c.redact(s)) }

func (c *Client) fail(err error) error { return decodeError(err, c.text) }

// Describe implements provider.Provider.
func (c *Client) Describe(ctx context.Context) (provider.Description, error) {
	r, err := c.provider.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return provider.Description{}, c.fail(err)
	}
	return descriptionFromWire(r), nil
}

// Configure implements provider.Provider.
func (c *Client) Configure(ctx context.Context, settings provider.Settings) ([]provider.Note, error) {
	r, err := c.provider.Configure(ctx, &pb.ConfigureRequest{Settings: settingsToWire(settings)})
	if err != nil {
		return nil, c.fail(err)
	}
	return each(r.GetNotes(), func(n *pb.Note) provider.Note { return provider.Note{Text: c.text(n.GetText())} }), nil
}

// Check implements provider.Provider.
func (c *Client) Check(ctx context.Context, report func(provider.Finding) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.provider.Check(ctx, &pb.CheckRequest{})
	if err != nil {
		return c.fail(err)
	}
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return c.fail(err)
		}
		if err := report(findingFromWire(r.GetFinding(), c.text)); err != nil {
			return err
		}
	}
}

// Refresh implements provider.Identity. Beside an error, a credential that isn't
// zero replaces the old one.
func (c *Client) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	r, err := c.identity.Refresh(ctx, &pb.RefreshRequest{Credential: credentialToWire(credential)})
	if err != nil {
		return provider.Credential{}, c.fail(err)
	}
	return credentialFromWire(r.GetCredential()), errorOf(r.GetFailure(), c.text)
}

// Verify implements provider.Identity.
func (c *Client) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	r, err := c.identity.Verify(ctx, &pb.VerifyRequest{Token: []byte(token.Reveal())})
	if err != nil {
		return provider.Claims{}, c.fail(err)
	}
	return claimsFromWire(r.GetClaims()), nil
}

// Revoke implements provider.Identity.
func (c *Client) Revoke(ctx context.Context, credential provider.Credential) error {
	_, err := c.identity.Revoke(ctx, &pb.RevokeRequest{Credential: credentialToWire(credential)})
	return c.fail(err)
}

// Token implements provider.TokenSource.
func (c *Client) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	r, err := c.tokens.Token(ctx, tokenRequestToWire(req))
	if err != nil {
		return provider.TokenResponse{}, c.fail(err)
	}
	response := provider.TokenResponse{Credential: present(r.GetCredential(), credentialFromWire)}
	if err := errorOf(r.GetFailure(), c.text); err != nil {
		return response, err
	}
	response.Token = tokenFromWire(r.GetToken())
	return response, nil
}

// Members implements provider.Team.
func (c *Client) Members(ctx context.Context, req provider.TeamRequest) ([]provider.Member, error) {
	r, err := c.team.Members(ctx, &pb.MembersRequest{Context: teamToWire(req)})
	if err != nil {
		return nil, c.fail(err)
	}
	return each(r.GetMembers(), memberFromWire), nil
}

// Invitations implements provider.Team.
func (c *Client) Invitations(ctx context.Context, req provider.TeamRequest) ([]provider.Invitation, error) {
	r, err := c.team.Invitations(ctx, &pb.InvitationsRequest{Context: teamToWire(req)})
	if err != nil {
		return nil, c.fail(err)
	}
	return each(r.GetInvitations(), invitationFromWire), nil
}

// Invite implements provider.Team.
func (c *Client) Invite(
	ctx context.Context, req provider.TeamRequest, email, role string,
) (provider.Invitation, error) {
	r, err := c.team.Invite(ctx, &pb.InviteRequest{Context: teamToWire(req), Email: email, Role: role})
	if err != nil {
		return provider.Invitation{}, c.fail(err)
	}
	return invitationFromWire(r.GetInvitation()), nil
}

// RevokeInvitation implements provider.Team.
func (c *Client) RevokeInvitation(ctx context.Context, req provider.TeamRequest, id string) error {
	_, err := c.team.RevokeInvitation(ctx, &pb.RevokeInvitationRequest{Context: teamToWire(req), Id: id})
	return c.fail(err)
}

// Interface guards
var (
	_ provider.Provider    = (*Client)(nil)
	_ provider.Identity    = (*Client)(nil)
	_ provider.TokenSource = (*Client)(nil)
	_ provider.Team        = (*Client)(nil)
)
