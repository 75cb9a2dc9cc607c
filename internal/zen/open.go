package zen

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/session"
)

// Open opens a database by a client of its own, which is closed with the handle. A provider
// that is missing, or may not run, is an error now, and not of the first query after the
// last stored token has ended. profile and how are as for [Client.Open].
func Open(ctx context.Context, o Options, profile string, how libsql.Options) (*sql.DB, error) {
	client, err := New(o)
	if err != nil {
		return nil, err
	}
	return client.open(ctx, nil, profile, how, true)
}

// Open opens a database with the session of a profile; "" means the selected one. The URL in
// how is one that package libsql takes, the name of a database at Turso, which is looked up
// as [Client.Resolve] says, or "" for the profile's. The access is what is asked for, "" the
// profile's, and with ReadOnly ro. The client must outlive the handle.
func (c *Client) Open(ctx context.Context, profile string, how libsql.Options) (*sql.DB, error) {
	return c.open(ctx, nil, profile, how, false)
}

// OpenSession opens a session's database, in the way that how says.
func (c *Client) OpenSession(ctx context.Context, s *session.Session, how libsql.Options) (*sql.DB, error) {
	return c.open(ctx, s, "", how, false)
}

// open opens a database. A session that is made for it is closed with it, or when it fails,
// and so is the client where it is owned.
func (c *Client) open(ctx context.Context, s *session.Session, profile string, options libsql.Options, owned bool) (*sql.DB, error) {
	if owned {
		options.Own = closer(func() error { return c.Close(context.Background()) })
	}
	if s != nil || !libsql.IsLocal(options.Target.URL) {
		var err error
		if s == nil {
			s, err = c.sessionFor(ctx, profile, options)
			switch {
			case err == nil && owned:
				err = c.checkProviders(ctx, s)
			case err == nil:
				options.Own = closer(func() error { return c.release(context.Background(), s) })
			}
		}
		if err == nil {
			err = s.NeedsDatabase()
		}
		if err != nil {
			if options.Own != nil {
				err = errors.Join(err, options.Own.Close())
			}
			return nil, err
		}
		options.Target, options.Access, options.Source = s.Target(), s.Access(), s
	}
	return libsql.Open(ctx, options)
}

// closer ends what was made for one handle.
type closer func() error

// Close implements io.Closer.
func (c closer) Close() error { return c() }

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

// sessionFor makes the session that how asks for.
func (c *Client) sessionFor(ctx context.Context, profile string, how libsql.Options) (*session.Session, error) {
	p, err := c.profileFor(ctx, profile, how.Target.URL)
	if err != nil {
		return nil, err
	}
	if how.ReadOnly {
		how.Access = cmp.Or(how.Access, provider.AccessReadOnly)
	}
	p.Access.Value = cmp.Or(how.Access, p.Access.Value)
	return c.owned(c.sessionOf(p)), nil
}

// profileFor returns the named profile with another database, if one is given: by its URL, or by
// its name at Turso, which is looked up and whose id is known then.
func (c *Client) profileFor(ctx context.Context, name, database string) (config.Profile, error) {
	switch {
	case database == "":
		return c.Config.Profile(name)
	case !IsName(database):
		return c.Config.ProfileAt(name, database)
	}
	target, err := c.Resolve(ctx, database)
	if err != nil {
		return config.Profile{}, err
	}
	p, err := c.Config.ProfileAt(name, target.URL)
	p.DatabaseID.Value = cmp.Or(p.DatabaseID.Value, target.DatabaseID)
	return p, err
}

// Interface guards
var _ io.Closer = closer(nil)
