package zen

import (
	"context"

	"github.com/zen-auth/zen/core/provider"
)

// Provider is a configured provider with every service of the contract. Those that its
// description doesn't name fail with errors.ErrUnsupported.
type Provider interface {
	provider.Provider
	provider.Fixer
	provider.Identity
	provider.TokenSource
	provider.AssertionSource
	provider.Lookup
	provider.SetupGuide
	provider.Team
	provider.Organizations
}

// Open starts a provider, if it isn't running, with its settings.
func (p *Providers) Open(ctx context.Context, name string) (Provider, error) {
	return p.open(ctx, name)
}

// Identity implements session.Providers.
func (p *Providers) Identity(ctx context.Context, name string) (provider.Identity, error) {
	return p.open(ctx, name)
}

// TokenSource implements session.Providers.
func (p *Providers) TokenSource(ctx context.Context, name string) (provider.TokenSource, error) {
	return p.open(ctx, name)
}

// AssertionSource implements session.Providers.
func (p *Providers) AssertionSource(ctx context.Context, name string) (provider.AssertionSource, error) {
	return p.open(ctx, name)
}

// Need implements session.Providers.
func (p *Providers) Need(ctx context.Context, name string) (*provider.AssertionNeed, error) {
	description, err := p.Describe(ctx, name)
	if err != nil || description.Needs == nil {
		return nil, err
	}
	need := *description.Needs
	if need.AudienceField == "" {
		return &need, nil
	}
	settings, err := p.config.Settings(description.Fields, name)
	if err != nil {
		return nil, err
	}
	if audience := settings.Get(need.AudienceField); audience != "" {
		need.Audience = audience
	}
	return &need, nil
}
