package core

import (
	"context"
	"io"

	"github.com/zen-auth/zen/core/config"
	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/session"
)

// Providers starts providers when they are needed, with their settings.
type Providers struct {
	config  *config.Config
	manager *plugin.Manager
}

func newProviders(cfg *config.Config, dirs []string, log io.Writer) *Providers {
	return &Providers{config: cfg, manager: plugin.NewManager(plugin.Options{Dirs: dirs, Log: log})}
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
