// Package core is zen for programs: configuration, credentials, providers and
// databases behind one value.
//
//	db, err := core.Open(ctx, core.Database{})
//	...
//	defer db.Close()
//
// The *sql.DB lives as long as the program; the tokens underneath it come and go. A
// [Client] is for programs that want more than a database: a token, several profiles,
// or providers of their own.
package core

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/zen-auth/zen/core/config"
	"github.com/zen-auth/zen/core/plugin"
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
	// Log takes the providers' log, redacted; nil discards it.
	Log io.Writer
	// LogLevel is the least that Log takes, of plugin.LogLevels; "" is debug.
	LogLevel string
}

// Client holds what sessions share. It is safe for concurrent use. Close it: it
// owns the provider processes.
type Client struct {
	Config    *config.Config
	Store     *store.Store
	Providers *Providers
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
	return &Client{
		Config:    cfg,
		Store:     store.New(cfg.Paths.StateDir),
		Providers: newProviders(cfg, dirs, options),
	}, nil
}

// Close stops the providers and waits for them, at most three seconds.
func (c *Client) Close(ctx context.Context) error { return c.Providers.manager.Close(ctx) }

// Session makes the session of a profile; "" is the selected one.
func (c *Client) Session(profile string) (*session.Session, error) {
	return session.Open(c.Config, profile, c.Store, c.Providers)
}
