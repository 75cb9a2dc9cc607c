// Package zen is configuration, credentials, providers and sessions behind one value, for
// the command line and for package core, which shows programs less of it.
package zen

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/keyring"
	"github.com/zen-auth/zen/internal/replace"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// Options say where things are. The zero value is what the command line uses.
type Options struct {
	// Config says where to look for the configuration.
	Config config.LoadOptions
	// ProviderDirs are searched for provider binaries, in this order. Nil means the
	// directory of the running program, then that of the zen that signed in last (as it
	// was written down in the state directory), then the provider directory of the
	// configuration. What is found runs only if it is pinned.
	ProviderDirs []string
	// Bundled are the SHA-256 sums of the provider binaries that belong to the
	// program, in hexadecimal, by the provider's name. Others run when zen.lock has
	// them.
	Bundled map[string]string
	// AskProvider asks a person whether a provider's binary that was never seen may
	// run, from now on. Nil means a no. It is called by one goroutine at a time.
	AskProvider func(context.Context, host.Binary) (bool, error)
	// AskVariables asks a person whether a provider that the program didn't come with may
	// have these variables, which are set and not of its own family (NAME_...), from now
	// on. Nil means a no, which Notify is told.
	AskVariables func(context.Context, host.Binary, []string) (bool, error)
	// Notify takes what a person should know beside errors: that a fallback is in
	// use, where credentials will rest, that the audit log can't be written. Each call
	// is one line without a prefix, and several goroutines may call it at once. If nil,
	// notices are discarded.
	Notify func(text string)
	// RenewInChild is session.Config.RenewInChild: how a renewal is made that must not
	// end with this process. If nil, all of them are made in it.
	RenewInChild func(context.Context, cache.Renewal) error
	// ActInChild is session.Config.ActInChild, the same for what is done in an organization.
	ActInChild func(context.Context, session.ActRequest) (json.RawMessage, error)
	// Expect are providers that will probably be asked (host.Options.Expect).
	Expect []string
	// Watcher is the program that ends what a provider started when this process is killed
	// (host.Options.Watcher); "" leaves that to the next zen.
	Watcher string
	// Overridden is called at each start of a provider which is being written and runs in
	// place of the installed one: the program, or the socket, at path. No one has checked
	// it, so a person has to hear of it; if Overridden is nil, none is used.
	Overridden func(name, path string)
	// Reattach is the value of handshake.ReattachKey: sockets of providers in a debugger.
	Reattach string
	// Log takes the providers' log, redacted; nil discards it.
	Log io.Writer
	// LogLevel is the least that Log takes, trace, debug, info, warn, error or off; "" means debug.
	LogLevel string
	// Keyring says how long the system's keyring is waited for.
	Keyring keyring.Options
}

// Client holds what sessions share. It is safe for concurrent use. Close it: it
// owns the sessions and the provider processes.
type Client struct {
	Config    *config.Config
	Store     *store.Store
	Providers *Providers

	notify       func(string)
	renewInChild func(context.Context, cache.Renewal) error
	actInChild   func(context.Context, session.ActRequest) (json.RawMessage, error)

	mu       sync.Mutex // guards sessions
	sessions map[*session.Session]struct{}
}

// New reads the configuration. It starts nothing and touches no network.
func New(options Options) (*Client, error) {
	cfg, err := config.Load(options.Config)
	if err != nil {
		return nil, err
	}
	dirs := options.ProviderDirs
	if dirs == nil {
		if self, err := replace.Self(); err == nil {
			dirs = append(dirs, filepath.Dir(self))
		}
		if installed := pin.Installation(cfg.Paths.StateDir); installed != "" && !slices.Contains(dirs, installed) {
			dirs = append(dirs, installed)
		}
		dirs = append(dirs, cfg.Paths.ProviderDir)
	}
	return &Client{
		Config:    cfg,
		Store:     session.Credentials(cfg, options.Keyring, options.Notify),
		Providers: newProviders(cfg, dirs, options),
		notify:    options.Notify,

		renewInChild: options.RenewInChild,
		actInChild:   options.ActInChild,
		sessions:     map[*session.Session]struct{}{},
	}, nil
}

// Close ends what the sessions do in the background, stops the providers and waits
// for both, at most until ctx ends, and never much longer than six seconds.
func (c *Client) Close(ctx context.Context) error {
	c.mu.Lock()
	sessions := slices.Collect(maps.Keys(c.sessions))
	clear(c.sessions)
	c.mu.Unlock()
	var err error
	for _, s := range sessions {
		err = errors.Join(err, s.Close(ctx))
	}
	return errors.Join(err, c.Providers.manager.Close(ctx))
}

// Session makes the session of a profile; "" means the selected one. It ends with the
// Client.
func (c *Client) Session(profile string) (*session.Session, error) {
	p, err := c.Config.Profile(profile)
	if err != nil {
		return nil, err
	}
	return c.owned(c.sessionOf(p)), nil
}

// Token returns a token for the database of a profile, as [session.Session.TokenFor] does.
func (c *Client) Token(ctx context.Context, profile string, minTTL time.Duration) (provider.Token, error) {
	s, err := c.Session(profile)
	if err != nil {
		return provider.Token{}, err
	}
	err = s.NeedsDatabase()
	var token provider.Token
	if err == nil {
		token, err = s.TokenFor(ctx, minTTL)
	}
	return token, errors.Join(err, c.release(context.WithoutCancel(ctx), s))
}

func (c *Client) sessionOf(p config.Profile) *session.Session {
	config := session.FromProfile(c.Config, p, c.Store, c.Providers, c.notify)
	config.RenewInChild, config.ActInChild = c.renewInChild, c.actInChild
	return session.New(config)
}

// owned makes a session one that ends with the Client, at the latest.
func (c *Client) owned(s *session.Session) *session.Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions[s] = struct{}{}
	return s
}

// release ends a session before the Client.
func (c *Client) release(ctx context.Context, s *session.Session) error {
	c.mu.Lock()
	delete(c.sessions, s)
	c.mu.Unlock()
	return s.Close(ctx)
}
