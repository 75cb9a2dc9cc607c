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
	// Profile is whose session it is; "" means the selected one.
	Profile string
	// Access is what is asked for, ro or rw; "" means the profile's, and with ReadOnly
	// ro.
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
	// SyncInterval is how often a replica syncs by itself; 0 means never.
	SyncInterval time.Duration
	// OnSync is called after each of these syncs. It must not close the handle, which
	// waits for it.
	OnSync func(libsql.Synced)
	// Encryption is the key of a local file, RemoteEncryption that of a database which
	// is encrypted at Turso.
	Encryption, RemoteEncryption provider.Secret
	// Timeout is the longest silence of the server; 0 means a minute.
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
		return libsql.Open(ctx, d.options()) // also if there is no configuration
	}
	return zen.Open(ctx, zen.Options{Config: config.LoadOptions{Flags: config.Flags{Profile: d.Profile}}}, d.Profile, d.options())
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
