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
	asserts  pb.AssertionClient
	lookup   pb.LookupClient
	setup    pb.SetupClient
	team     pb.TeamClient
	orgs     pb.OrganizationsClient
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
		asserts:  pb.NewAssertionClient(conn),
		lookup:   pb.NewLookupClient(conn),
		setup:    pb.NewSetupClient(conn),
		team:     pb.NewTeamClient(conn),
		orgs:     pb.NewOrganizationsClient(conn),
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

// replaced is the part of an answer beside its result: a credential in place of the one
// that was sent, and what failed.
type replaced interface {
	GetCredential() *pb.Credential
	GetFailure() *pb.Failure
}

// replaced takes the answer or the error of a call. It never returns a credential that
// could not be stored.
func (c *Client) replaced(r replaced, err error) (*provider.Credential, error) {
	if err != nil {
		return nil, c.fail(err)
	}
	failure := errorOf(r.GetFailure(), c.text)
	if r.GetCredential() == nil {
		return nil, failure
	}
	credential, err := returnedCredential(r.GetCredential())
	if err != nil {
		return nil, errors.Join(failure, err)
	}
	return &credential, failure
}

// receive hands each message of a stream to accept, until the one that replaces the
// credential, or the end.
func receive[M any, P interface {
	*M
	replaced
}](c *Client, stream grpc.ServerStreamingClient[M], accept func(P) error) (credential *provider.Credential, err error) {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return credential, nil
		}
		if err != nil {
			return credential, c.fail(err)
		}
		if P(message).GetCredential() != nil || P(message).GetFailure() != nil {
			if credential, err = c.replaced(P(message), nil); err != nil {
				return credential, err
			}
			continue
		}
		if err := accept(P(message)); err != nil {
			return credential, err
		}
	}
}

// Refresh implements provider.Identity. Beside an error, a credential that isn't
// zero replaces the old one.
func (c *Client) Refresh(ctx context.Context, credential provider.Credential) (provider.Credential, error) {
	r, err := c.identity.Refresh(ctx, &pb.RefreshRequest{Credential: credentialToWire(credential)})
	replacement, err := c.replaced(r, err)
	if replacement == nil {
		if err == nil {
			err = errors.New("the provider returned no credential")
		}
		return provider.Credential{}, err
	}
	return *replacement, err
}

// Verify implements provider.Identity.
func (c *Client) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	r, err := c.identity.Verify(ctx, &pb.VerifyRequest{Token: []byte(token.Reveal())})
	if err != nil {
		return provider.Claims{}, c.fail(err)
	}
	return returnedClaims(r.GetClaims())
}

// Revoke implements provider.Identity.
func (c *Client) Revoke(ctx context.Context, credential provider.Credential) error {
	_, err := c.identity.Revoke(ctx, &pb.RevokeRequest{Credential: credentialToWire(credential)})
	return c.fail(err)
}

// EndSessionURL implements provider.BrowserSession.
func (c *Client) EndSessionURL(ctx context.Context, credential provider.Credential) (string, error) {
	r, err := c.identity.EndSession(ctx, &pb.EndSessionRequest{Credential: credentialToWire(credential)})
	if err != nil {
		return "", c.fail(err)
	}
	return r.GetUrl(), nil
}

// Token implements provider.TokenSource.
func (c *Client) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	r, err := c.tokens.Token(ctx, tokenRequestToWire(req))
	var response provider.TokenResponse
	if response.Credential, err = c.replaced(r, err); err != nil {
		return response, err
	}
	response.DatabaseID = r.GetDatabaseId()
	response.Token, err = returnedToken(r.GetToken())
	return response, err
}

// Assertion implements provider.AssertionSource.
func (c *Client) Assertion(ctx context.Context, req provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	r, err := c.asserts.Assert(ctx, assertionRequestToWire(req))
	credential, err := c.replaced(r, err)
	if err != nil {
		return provider.Assertion{}, credential, err
	}
	return assertionFromWire(r.GetStatement()), credential, nil
}

// Database implements provider.Lookup.
func (c *Client) Database(ctx context.Context, req provider.LookupRequest) (provider.Database, *provider.Credential, error) {
	r, err := c.lookup.Database(ctx, &pb.DatabaseRequest{
		Credential: optional(req.Credential, credentialToWire), Organization: req.Organization, Name: req.Name,
	})
	credential, err := c.replaced(r, err)
	if err != nil {
		return provider.Database{}, credential, err
	}
	return databaseInfoFromWire(r.GetDatabase()), credential, nil
}

// Databases implements provider.Lookup.
func (c *Client) Databases(ctx context.Context, req provider.LookupRequest, yield func(provider.Database) error) (*provider.Credential, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.lookup.Databases(ctx, &pb.DatabasesRequest{
		Credential: optional(req.Credential, credentialToWire), Organization: req.Organization,
	})
	if err != nil {
		return nil, c.fail(err)
	}
	return receive(c, stream, func(r *pb.DatabasesResponse) error { return yield(databaseInfoFromWire(r.GetDatabase())) })
}

// Setup implements provider.SetupGuide.
func (c *Client) Setup(ctx context.Context, req provider.SetupRequest) (provider.Setup, error) {
	r, err := c.setup.Setup(ctx, &pb.SetupRequest{Purpose: purposeToWire(req.Purpose), Topic: req.Topic})
	if err != nil {
		return provider.Setup{}, c.fail(err)
	}
	return setupFromWire(r, c.text), nil
}

// Interface guards
var (
	_ provider.Provider        = (*Client)(nil)
	_ provider.Fixer           = (*Client)(nil)
	_ provider.BrowserSession  = (*Client)(nil)
	_ provider.Identity        = (*Client)(nil)
	_ provider.TokenSource     = (*Client)(nil)
	_ provider.AssertionSource = (*Client)(nil)
	_ provider.Lookup          = (*Client)(nil)
	_ provider.SetupGuide      = (*Client)(nil)
	_ provider.Team            = (*Client)(nil)
	_ provider.Organizations   = (*Client)(nil)
)
