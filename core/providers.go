package core

import (
	"context"
	"path/filepath"

	"github.com/zen-auth/zen/core/config"
	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/plugin/pin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/session"
)

// Providers starts providers when they are needed, with their settings.
type Providers struct {
	// Dirs are searched, in this order.
	Dirs []string
	// Pins say which binaries may run.
	Pins *pin.Policy

	config  *config.Config
	manager *plugin.Manager
}

func newProviders(cfg *config.Config, dirs []string, o Options) *Providers {
	pins := &pin.Policy{
		Bundled: o.Bundled,
		Lock:    pin.NewLock(filepath.Join(cfg.Paths.StateDir, "zen.lock")),
		Ask:     o.AskProvider,
	}
	return &Providers{
		Dirs: dirs, Pins: pins, config: cfg,
		manager: plugin.NewManager(plugin.Options{
			Dirs: dirs, Trust: pins.Trust, Log: o.Log, Level: o.LogLevel,
			TraceDir: filepath.Join(cfg.Paths.StateDir, "crashes"),
			Described: func(ctx context.Context, b plugin.Binary, d provider.Description) {
				_ = pins.Learn(ctx, b, d.Version) // it is for people: nothing rests on it
			},
		}),
	}
}

// List returns the provider binaries that can be found. It starts none.
func (p *Providers) List() []plugin.Found { return p.manager.List() }

// Describe implements session.Providers.
func (p *Providers) Describe(ctx context.Context, name string) (provider.Description, error) {
	return p.manager.Describe(ctx, name)
}

// Identity implements session.Providers.
func (p *Providers) Identity(ctx context.Context, name string) (provider.Identity, error) {
	return p.open(ctx, name)
}

// TokenSource implements session.Providers.
func (p *Providers) TokenSource(ctx context.Context, name string) (provider.TokenSource, error) {
	return p.open(ctx, name)
}

// open starts the provider, reads its schema, and configures it by that.
func (p *Providers) open(ctx context.Context, name string) (*plugin.Client, error) {
	description, err := p.manager.Describe(ctx, name)
	if err != nil {
		return nil, err
	}
	settings, err := p.config.Settings(description.Fields, name)
	if err != nil {
		return nil, err
	}
	return p.manager.Open(ctx, name, settings)
}

// Interface guards
var _ session.Providers = (*Providers)(nil)
