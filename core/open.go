package core

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/session"
)

// Database says which database to open, and how. The zero value is that of the
// selected profile, at its server. What of it fits which mode, package libsql says in
// the same fields of its Options.
type Database struct {
	// Target is libsql://HOST, https://, http:// on the loopback, file:PATH, :memory:,
	// or the name of a database at Turso, which is looked up as [Client.Resolve] says.
	// "" is the profile's. Another URL than that gets a token for its database alone: where
	// neither the configuration nor the provider knows its id, nothing is sent and the
	// error is provider.ErrConfig.
	Target string
	// Profile is whose session it is; "" is the selected one.
	Profile string
	// Access is what is asked for, ro or rw; "" is the profile's, and with ReadOnly
	// ro.
	Access provider.Access

	// Mode is remote, replica or local. "" is local for a file and for memory, replica
	// with a Path, and otherwise remote.
	Mode libsql.Mode
	// Path is the file of a replica.
	Path string
	// ReadOnly refuses statements that may write.
	ReadOnly bool
	// AllowStale lets a replica's reads miss own writes until the next sync.
	AllowStale bool
	// SyncInterval is how often a replica syncs by itself; 0 is never.
	SyncInterval time.Duration
	// OnSync is called after each of these syncs. It must not close the handle, which
	// waits for it.
	OnSync func(libsql.Synced)
	// Encryption is the key of a local file, RemoteEncryption that of a database which
	// is encrypted at Turso.
	Encryption, RemoteEncryption provider.Secret
	// Timeout is the longest silence of the server; 0 is a minute.
	Timeout time.Duration
	// TxMode is how transactions begin.
	TxMode hrana.TxMode
	// TimesAsText leaves dates as they are stored; see libsql.Options.
	TimesAsText bool
}

// Open opens a database for a program that needs nothing else of zen: with the
// configuration, the sign-in and the providers that the command line has. A provider that
// is missing, or may not run, is an error now (provider.ErrNoProvider), and not of the
// first query after the last stored token has ended. Closing the handle closes everything.
func Open(ctx context.Context, d Database) (*sql.DB, error) {
	if libsql.IsLocal(d.Target) {
		return libsql.Open(ctx, d.options()) // also where there is no configuration
	}
	client, err := New(Options{Config: config.LoadOptions{Flags: config.Flags{Profile: d.Profile}}})
	if err != nil {
		return nil, err
	}
	return client.open(ctx, nil, d, closer{client})
}

// Open opens a database. The client must outlive the handle.
func (c *Client) Open(ctx context.Context, d Database) (*sql.DB, error) {
	return c.open(ctx, nil, d, nil)
}

// OpenSession opens a session's database, in the way that d says; d's Target, Profile
// and Access are not looked at, the session has them.
func (c *Client) OpenSession(ctx context.Context, s *session.Session, d Database) (*sql.DB, error) {
	return c.open(ctx, s, d, nil)
}

// open opens a database; own, where not nil, is closed with it, or when it fails. So is
// a session that is made for it.
func (c *Client) open(ctx context.Context, s *session.Session, d Database, own io.Closer) (*sql.DB, error) {
	options := d.options()
	options.Own = own
	if s != nil || !libsql.IsLocal(d.Target) {
		if s == nil {
			var err error
			if s, err = c.sessionFor(ctx, d); err != nil {
				return nil, errors.Join(err, closing{nil, nil, own}.Close())
			}
			options.Own = closing{c, s, own}
			if own != nil {
				if err := c.checkProviders(ctx, s); err != nil {
					return nil, errors.Join(err, options.Own.Close())
				}
			}
		}
		if err := s.NeedsDatabase(); err != nil {
			if options.Own != nil {
				err = errors.Join(err, options.Own.Close())
			}
			return nil, err
		}
		options.Target, options.Access, options.Source = s.Target(), s.Access(), s
	}
	return libsql.Open(ctx, options)
}

// closing ends what was made for one handle: its session, and what it owns beside.
type closing struct {
	client  *Client
	session *session.Session
	own     io.Closer
}

// Close implements io.Closer.
func (c closing) Close() error {
	var err error
	if c.session != nil {
		err = c.client.release(context.Background(), c.session)
	}
	if c.own != nil {
		err = errors.Join(err, c.own.Close())
	}
	return err
}

// closer is a client as an io.Closer.
type closer struct{ *Client }

// Close implements io.Closer.
func (c closer) Close() error { return c.Client.Close(context.Background()) }

// checkProviders says which provider of a session's tokens is missing, before one is needed.
func (c *Client) checkProviders(ctx context.Context, s *session.Session) error {
	status, err := s.Status(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Compact([]string{status.Provider, status.TokenProvider}) {
		if name == "" {
			continue // the first query says that there is no sign-in
		}
		if err := c.Providers.check(name); err != nil {
			return fmt.Errorf("the tokens of profile %q need provider %s: %w", s.Profile(), name, err)
		}
	}
	return nil
}

// sessionFor makes the session that d asks for.
func (c *Client) sessionFor(ctx context.Context, d Database) (*session.Session, error) {
	p, err := c.profileFor(ctx, d)
	if err != nil {
		return nil, err
	}
	if d.ReadOnly {
		d.Access = cmp.Or(d.Access, provider.AccessReadOnly)
	}
	if d.Access != "" {
		p.Access.Value = d.Access
	}
	return c.owned(c.sessionOf(p)), nil
}

// profileFor is the profile that d names, with the database that d names: by its URL,
// or by its name at Turso, which is looked up and whose id is known then.
func (c *Client) profileFor(ctx context.Context, d Database) (config.Profile, error) {
	switch {
	case d.Target == "":
		return c.Config.Profile(d.Profile)
	case !IsName(d.Target):
		return c.Config.ProfileAt(d.Profile, d.Target)
	}
	target, err := c.Resolve(ctx, d.Target)
	if err != nil {
		return config.Profile{}, err
	}
	p, err := c.Config.ProfileAt(d.Profile, target.URL)
	if p.DatabaseID.Value == "" {
		p.DatabaseID.Value = target.DatabaseID
	}
	return p, err
}

// options are what of d is package libsql's.
func (d Database) options() libsql.Options {
	return libsql.Options{
		Target: provider.Target{URL: d.Target}, Access: d.Access, Mode: d.Mode, Path: d.Path,
		ReadOnly: d.ReadOnly, AllowStale: d.AllowStale, SyncInterval: d.SyncInterval, OnSync: d.OnSync,
		Encryption: d.Encryption, RemoteEncryption: d.RemoteEncryption, Timeout: d.Timeout, TxMode: d.TxMode,
		TimesAsText: d.TimesAsText,
	}
}

// Interface guards
var (
	_ io.Closer = closing{}
	_ io.Closer = closer{}
)
