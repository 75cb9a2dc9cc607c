package libsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/link"
)

// Mode says how a database is used.
type Mode string

// The modes. The zero Mode is the one that the other options imply: local for file:
// and :memory:, replica with a Path, remote otherwise.
const (
	Remote  Mode = "remote"
	Replica Mode = "replica"
	Local   Mode = "local"
)

// Modes returns all modes.
func Modes() []Mode { return []Mode{Remote, Replica, Local} }

// Options say which database to open, and how.
type Options struct {
	// Target is the database: its URL is libsql://, https://, http:// on the
	// loopback, file:PATH or :memory:.
	Target provider.Target
	// Access limits what the tokens allow. A local database, which needs no token, is
	// read-only with ro.
	Access provider.Access
	// Source issues the tokens. Local databases need none.
	Source Source
	// Base carries the requests. If nil, the handle has a transport of its own, with the
	// proxy of the environment.
	Base http.RoundTripper

	Mode Mode
	// Path is the file of a replica. Its directory must exist. Other files, whose names
	// begin with the same name, are kept beside it.
	Path string
	// ReadOnly refuses statements that may write, before they are sent.
	ReadOnly bool
	// AllowStale lets a replica's reads miss writes made through it until the next
	// sync. Otherwise every write is followed by one, and own writes are read back.
	AllowStale bool
	// SyncInterval is the time between two syncs that a replica makes by itself, at least
	// 100 ms. Zero means that it makes none.
	SyncInterval time.Duration
	// OnSync, if set, is called after every sync that SyncInterval started, by one
	// goroutine at a time. It must not close the handle, which waits for it.
	OnSync func(Synced)
	// Encryption is the key of a local file: AES-256 in CBC mode, as libSQL's other
	// clients have it. Replicas have none: libSQL's sync writes plain pages.
	Encryption provider.Secret
	// RemoteEncryption is the key of a database that Turso keeps encrypted, as base64.
	// It travels in a header of every request.
	RemoteEncryption provider.Secret
	// Timeout limits how long the server may be silent. Zero means a minute. In mode
	// local it limits the wait for another process's lock, and zero means five seconds.
	Timeout time.Duration
	// TxMode says how transactions begin.
	TxMode hrana.TxMode
	// TimesAsText returns values of columns declared DATE, DATETIME or TIMESTAMP as they
	// are stored. Otherwise they are read as time.Time, as package hrana describes.
	TimesAsText bool
	// Own, if set, is closed after the handle, and when Open fails.
	Own io.Closer
}

// Source issues the tokens of a database. It is safe for concurrent use.
type Source interface {
	// Token returns a token that is good now.
	Token(ctx context.Context) (provider.Token, error)
	// Renew returns another token than refused, which the server turned down.
	Renew(ctx context.Context, refused provider.Token) (provider.Token, error)
}

// Open returns a database handle. A remote database isn't touched yet: the first
// statement connects. A replica is fetched, or, where it was before and the network or
// the sign-in is missing, opened as it is, to read from until they are back. ctx is
// for opening alone.
//
// Closing the handle ends streams at the server and what runs in the background.
func Open(ctx context.Context, options Options) (*sql.DB, error) {
	connector, err := newConnector(ctx, options)
	if err != nil {
		if options.Own != nil {
			err = errors.Join(err, options.Own.Close())
		}
		return nil, err
	}
	if options.Own != nil {
		connector = owner{connector, options.Own}
	}
	return sql.OpenDB(connector), nil
}

func newConnector(ctx context.Context, options Options) (connector driver.Connector, err error) {
	mode, err := options.mode()
	if err != nil {
		return nil, err
	}
	if err := options.check(mode); err != nil {
		return nil, err
	}
	switch mode {
	case Remote:
		connector, err = openRemote(options)
	case Replica:
		connector, err = openReplica(ctx, options)
	case Local:
		connector, err = openLocal(options)
	}
	return connector, err
}

// owner closes what else belongs to a handle.
type owner struct {
	driver.Connector
	own io.Closer
}

// Close implements io.Closer.
func (o owner) Close() error {
	return errors.Join(o.Connector.(io.Closer).Close(), o.own.Close())
}

func openRemote(options Options) (driver.Connector, error) {
	remote, err := dial(options)
	if err != nil {
		return nil, err
	}
	if options.ReadOnly {
		return readOnly{remote}, nil
	}
	return remote, nil
}

// dial makes the link to a remote database. It does not touch the network.
func dial(options Options) (*link.Link, error) {
	address, err := Address(options.Target.URL)
	if err != nil {
		return nil, err
	}
	return link.Dial(link.Config{
		Target: options.Target, Address: address, Access: options.Access, Source: options.Source, Base: options.Base,
		RemoteEncryption: options.RemoteEncryption, Timeout: options.Timeout, TxMode: options.TxMode, TimesAsText: options.TimesAsText,
	})
}

// mode returns the one to use.
func (o Options) mode() (Mode, error) {
	local := IsLocal(o.Target.URL)
	switch {
	case o.Mode == "" && local:
		return Local, nil
	case o.Mode == "" && o.Path != "":
		return Replica, nil
	case o.Mode == "":
		return Remote, nil
	case !slices.Contains(Modes(), o.Mode):
		return "", misfit("mode %q is not remote, replica or local", "", o.Mode)
	case local && o.Mode != Local:
		return "", misfit("mode %s needs a database at a server, and %s is none", "give a libsql:// URL, or use mode local", o.Mode, provider.ShownURL(o.Target.URL))
	case !local && o.Mode == Local:
		return "", misfit("mode local opens a file, and %s is none", "give file:PATH or :memory:, or use mode remote or replica", provider.ShownURL(o.Target.URL))
	}
	return o.Mode, nil
}

// minSyncInterval keeps a loop from being a load.
const minSyncInterval = 100 * time.Millisecond

// check refuses options that don't fit the mode: one that has no effect is a mistake
// that would only show later.
func (o Options) check(mode Mode) error {
	switch {
	case mode != Local && o.Source == nil:
		return errors.New("open " + provider.ShownURL(o.Target.URL) + ": Options.Source is required")
	case mode == Replica && o.Path == "":
		return misfit("mode replica needs the path of a file", "the replica is kept there between runs")
	case mode != Replica && o.Path != "":
		return misfit("mode %s keeps no replica, and a path is given for one", "leave the path out, or use mode replica", mode)
	case mode != Replica && (o.SyncInterval != 0 || o.OnSync != nil || o.AllowStale):
		return misfit("mode %s has nothing to sync", "the sync options are for mode replica", mode)
	case o.SyncInterval != 0 && o.SyncInterval < minSyncInterval:
		return misfit("sync interval %s is shorter than %s", "", o.SyncInterval, minSyncInterval)
	case o.Timeout < 0:
		return misfit("timeout %s is negative", "", o.Timeout)
	case mode == Replica && !o.Encryption.IsZero():
		return misfit("a replica can't be encrypted: libSQL's sync writes plain pages and ignores the key", "keep its file on an encrypted disk")
	case mode == Remote && !o.Encryption.IsZero():
		return misfit("mode remote keeps no file that could be encrypted", "RemoteEncryption is for a database that is encrypted at the server")
	case mode == Local && !o.RemoteEncryption.IsZero():
		return misfit("mode local has no server that would take a key for remote encryption", "Encryption is for the file")
	}
	return nil
}

// misfit returns an error for options that don't go together.
func misfit(format, hint string, args ...any) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf(format, args...), Hint: hint}
}
