package core

import (
	"context"
	"database/sql"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/zen"
)

// Database says which database to open, and how. The zero value means the database of
// the selected profile, at its server. The fields of the same name in libsql.Options say
// which of them fit which mode.
type Database struct {
	// Target is libsql://HOST, https://, http:// on the loopback, file:PATH, :memory:,
	// or the name of a database at Turso, which is looked up as [Client.Resolve] says.
	// "" means the profile's. Another URL gets a token for its database alone: if neither
	// the configuration nor the provider knows its id, nothing is sent and the error is
	// provider.ErrConfig.
	Target string
	// Profile is the profile whose session is used; "" means the selected one.
	Profile string
	// Access is the access to ask for, ro or rw; "" means the profile's, or ro with
	// ReadOnly.
	Access provider.Access

	// Mode is remote, replica or local. "" means local for a file and for memory, replica
	// with a Path, and otherwise remote.
	Mode libsql.Mode
	// Path is the file of a replica.
	Path string
	// ReadOnly refuses statements that may write.
	ReadOnly bool
	// AllowStale lets a replica's reads miss own writes until the next sync.
	AllowStale bool
	// SyncInterval is the time between two syncs that a replica makes by itself. Zero
	// means that it makes none.
	SyncInterval time.Duration
	// OnSync is called after each of these syncs. It must not close the handle, which
	// waits for it.
	OnSync func(libsql.Synced)
	// Encryption is the key of a local file, RemoteEncryption the key of a database that
	// Turso keeps encrypted.
	Encryption, RemoteEncryption provider.Secret
	// Timeout limits how long the server may be silent. Zero means a minute.
	Timeout time.Duration
	// TxMode says how transactions begin.
	TxMode hrana.TxMode
	// TimesAsText leaves dates as they are stored; see libsql.Options.
	TimesAsText bool
}

// Open opens a database for a program that needs nothing else of zen, with the
// configuration, the sign-in and the providers of the command line. If a provider is
// missing, or may not run, it returns provider.ErrNoProvider at once, rather than at the
// first query that needs a new token. Closing the handle closes everything.
func Open(ctx context.Context, d Database) (*sql.DB, error) {
	if libsql.IsLocal(d.Target) {
		return libsql.Open(ctx, d.options()) // also if there is no configuration
	}
	return zen.Open(ctx, zen.Options{Config: config.LoadOptions{Flags: config.Flags{Profile: d.Profile}}}, d.Profile, d.options())
}

// options returns the fields that are package libsql's.
func (d Database) options() libsql.Options {
	return libsql.Options{
		Target: provider.Target{URL: d.Target}, Access: d.Access, Mode: d.Mode, Path: d.Path,
		ReadOnly: d.ReadOnly, AllowStale: d.AllowStale, SyncInterval: d.SyncInterval, OnSync: d.OnSync,
		Encryption: d.Encryption, RemoteEncryption: d.RemoteEncryption, Timeout: d.Timeout, TxMode: d.TxMode,
		TimesAsText: d.TimesAsText,
	}
}
