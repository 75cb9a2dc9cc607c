// Package core is zen for programs: configuration, credentials, providers and
// databases behind one value.
//
//	client, err := core.New(core.Options{})
//	...
//	defer client.Close(ctx)
//	session, err := client.Session("")
//	...
//	db, err := client.OpenDB(session)
//
// The *sql.DB lives as long as the program; the tokens underneath it come and go.
package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/audit"
	"github.com/zen-auth/zen/core/config"
	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/session"
	"github.com/zen-auth/zen/core/store"
)

// Options say where things are. The zero value is what the command line uses.
type Options struct {
	// Config says where to look for the configuration.
	Config config.LoadOptions
	// ProviderDirs are searched for provider binaries, in this order. Nil is the
	// directory of the running program, then the provider directory of the
	// configuration.
	ProviderDirs []string
	// Bundled are the SHA-256 sums of the provider binaries that belong to the
	// program, in hexadecimal, by the provider's name. Others run when zen.lock has
	// them.
	Bundled map[string]string
	// AskProvider asks a person whether a provider's binary that was never seen may
	// run, from now on. Nil is a no. It is called by one goroutine at a time.
	AskProvider func(context.Context, plugin.Binary) (bool, error)
	// Notify is told what somebody should know beside errors: that a fallback is in
	// use, that the audit log can't be written. Each call is one line without a
	// prefix. Nil is nobody. It may be called by several goroutines.
	Notify func(text string)
	// Log takes the providers' log, redacted; nil discards it.
	Log io.Writer
	// LogLevel is the least that Log takes, of plugin.LogLevels; "" is debug.
	LogLevel string
}

// Client holds what sessions share. It is safe for concurrent use. Close it: it
// owns the sessions and the provider processes.
type Client struct {
	Config    *config.Config
	Store     *store.Store
	Providers *Providers

	notify func(string)
	audit  *audit.Log

	mu       sync.Mutex // guards sessions
	sessions []*session.Session
}

// New reads the configuration. It starts nothing and touches no network.
func New(options Options) (*Client, error) {
	cfg, err := config.Load(options.Config)
	if err != nil {
		return nil, err
	}
	dirs := options.ProviderDirs
	if dirs == nil {
		if self, err := os.Executable(); err == nil {
			if real, err := filepath.EvalSymlinks(self); err == nil {
				self = real
			}
			dirs = append(dirs, filepath.Dir(self))
		}
		dirs = append(dirs, cfg.Paths.ProviderDir)
	}
	c := &Client{
		Config:    cfg,
		Store:     store.New(cfg.Paths.StateDir),
		Providers: newProviders(cfg, dirs, options),
		notify:    options.Notify,
	}
	if path := cfg.Audit.Value; path != "" {
		c.audit = audit.New(path, func(err error) {
			if c.notify != nil {
				c.notify(err.Error())
			}
		})
	}
	return c, nil
}

// Close ends what the sessions do in the background, stops the providers and waits
// for both, at most until ctx ends, and never much longer than six seconds.
func (c *Client) Close(ctx context.Context) error {
	c.mu.Lock()
	sessions := c.sessions
	c.sessions = nil
	c.mu.Unlock()
	var err error
	for _, s := range sessions {
		err = errors.Join(err, s.Close(ctx))
	}
	return errors.Join(err, c.Providers.manager.Close(ctx))
}

// Session makes the session of a profile; "" is the selected one. It ends with the
// Client.
func (c *Client) Session(profile string) (*session.Session, error) {
	p, err := c.Config.Profile(profile)
	if err != nil {
		return nil, err
	}
	s := session.Config{
		Profile:       p.Name.Value,
		TokenProvider: p.TokenProvider.Value,
		Fallback:      p.Fallback.Value,
		Target:        p.Target(),
		Access:        p.Access.Value,
		Permissions:   p.Permissions.Value,
		SettingsHash:  c.Config.SettingsHash,
		Store:         c.Store,
		Providers:     c.Providers,
		Verifier:      verifier{cacheDir: filepath.Join(c.Config.Paths.CacheDir(), "keys"), now: time.Now},
		Notify:        c.notify,
		Audit:         c.audit,
	}
	// A login chooses the provider from then on; only what is said for this one
	// run is stronger.
	switch p.Provider.Origin.Kind {
	case config.KindFlag, config.KindEnvironment:
		s.Provider = p.Provider.Value
	default:
		s.DefaultProvider = p.Provider.Value
	}
	made := session.New(s)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions = append(c.sessions, made)
	return made, nil
}

// NeedsDatabase is an error for a session whose profile has no database.
func (c *Client) NeedsDatabase(s *session.Session) error {
	if s.Target.URL != "" {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("profile %q has no database", s.Profile),
		Hint:    fmt.Sprintf("write database = \"libsql://...\" below [profiles.%s] in %s, or set ZEN_DATABASE", s.Profile, c.Config.Paths.ConfigFile),
	}
}

// OpenDB opens the session's database. It doesn't connect yet.
func (c *Client) OpenDB(s *session.Session) (*sql.DB, error) {
	if err := c.NeedsDatabase(s); err != nil {
		return nil, err
	}
	return libsql.Open(libsql.Options{Target: s.Target, Access: s.Access, Source: s})
}
