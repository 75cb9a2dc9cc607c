// Package core embeds zen in a program: it opens databases whose tokens come from the
// sign-in of the command line.
//
//	db, err := core.Open(ctx, core.Database{})
//	...
//	defer db.Close()
//
// The *sql.DB lives as long as the program, and the tokens underneath it are renewed. A
// [Client] is for programs that open many databases, or need the tokens themselves.
package core

import (
	"context"
	"database/sql"
	"io"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/zen"
)

// Options say where a Client finds its files. The zero value means the command line's.
type Options struct {
	// ConfigFile is the file with the profiles; "" means the command line's.
	ConfigFile string
	// ProviderDirs are searched for provider binaries, in this order. Nil means the
	// directory of the running program, then that of the zen that signed in last (as it
	// was written down in the state directory), then the provider directory of the
	// configuration. What is found runs only if it is pinned.
	ProviderDirs []string
	// Notify receives what a person should know beside errors: that a fallback is in
	// use, where credentials will be stored, that the audit log can't be written. Each
	// call is one line without a prefix, and several goroutines may call it at once. If
	// nil, notices are discarded.
	Notify func(text string)
	// Log receives the providers' log, redacted. If nil, it is discarded.
	Log io.Writer
}

// Client holds what the databases of a program share: the configuration, the store and the
// provider processes. It is safe for concurrent use. It owns the processes, and has to be
// closed.
type Client struct{ zen *zen.Client }

// New reads the configuration and returns a Client. It starts no provider and does not
// use the network.
func New(options Options) (*Client, error) {
	client, err := zen.New(zen.Options{
		Config:       config.LoadOptions{Path: options.ConfigFile},
		ProviderDirs: options.ProviderDirs, Notify: options.Notify, Log: options.Log,
	})
	if err != nil {
		return nil, err
	}
	return &Client{client}, nil
}

// Close stops the providers and waits for them to end, at most until ctx is done, and
// never much longer than six seconds.
func (c *Client) Close(ctx context.Context) error { return c.zen.Close(ctx) }

// Open opens a database. The client must outlive the handle.
func (c *Client) Open(ctx context.Context, d Database) (*sql.DB, error) {
	return c.zen.Open(ctx, d.Profile, d.options())
}

// Token returns a token for the database of a profile that is good for at least minTTL,
// as zen token prints it: a stored one if there is one. An empty profile means the
// selected one, and a zero minTTL the usual margin.
func (c *Client) Token(ctx context.Context, profile string, minTTL time.Duration) (provider.Token, error) {
	return c.zen.Token(ctx, profile, minTTL)
}

// Resolve finds the URL and the id of a database by its name. The providers of the
// selected profile are asked first, then the other installed ones that may run, as far
// as they serve provider.Lookup.
//
// A profile with a URL doesn't need this. A program should ask once and keep the answer.
func (c *Client) Resolve(ctx context.Context, name string) (provider.Target, error) {
	return c.zen.Resolve(ctx, name)
}

// Databases returns the databases that a provider knows: the first that can list them,
// in the order of [Client.Resolve].
func (c *Client) Databases(ctx context.Context) ([]provider.Database, error) {
	return c.zen.Databases(ctx)
}
