package host

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/wire"
)

// Client is a running provider. It implements every service of package provider;
// the methods of a service that the provider's description doesn't name fail with
// errors.ErrUnsupported. It is safe for concurrent use.
type Client struct {
	*calls
	conn        *conn
	description provider.Description
	configured  atomic.Bool
	notes       []provider.Note
}

// calls keeps the name of what is embedded to the package.
type calls = wire.Client

// connected asks the provider at the other end of c who it is, which ends its
// start.
func connected(ctx context.Context, c *conn) (*Client, error) {
	client := &Client{calls: wire.NewClient(c, c.redact.String), conn: c}
	description, err := client.calls.Describe(ctx)
	if err != nil {
		return nil, err
	}
	client.description = description
	c.services.Store(&description.Services)
	return client, nil
}

// is wants the description to have the name under which the provider was looked for.
func (c *Client) is(name string) error {
	if c.description.Name != name {
		return &HandshakeError{Name: name, Reason: fmt.Sprintf("it says that it is %.40q", c.description.Name)}
	}
	return nil
}

// Describe returns what the provider said when it was started. The host does not
// change it.
func (c *Client) Describe(context.Context) (provider.Description, error) { return c.description, nil }

// Notes returns the provider's remarks about its settings.
func (c *Client) Notes() []provider.Note { return c.notes }

// Configure implements provider.Provider. It works once; clients from a Manager
// have been configured.
func (c *Client) Configure(ctx context.Context, settings provider.Settings) ([]provider.Note, error) {
	if c.configured.Swap(true) {
		return nil, errors.New("configure provider " + c.conn.name + ": it is configured already")
	}
	plain := make(map[string]bool)
	for _, field := range c.description.Fields {
		plain[field.Key] = !field.Sensitive
	}
	for key, value := range settings {
		if !plain[key] {
			c.conn.redact.add(value.Reveal())
		}
	}
	return c.calls.Configure(ctx, settings)
}

// Interface guards. The other services are those of wire.Client.
var _ provider.Provider = (*Client)(nil)
