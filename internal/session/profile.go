package session

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/store"
)

// Open makes the session of a profile of the configuration; "" is the selected one.
// It reads nothing but the configuration. With the storage none its credentials are
// not in the store, but in the session's memory. notify is Config.Notify.
func Open(cfg *config.Config, profile string, credentials *store.Store, providers Providers, notify func(string)) (*Session, error) {
	p, err := cfg.Profile(profile)
	if err != nil {
		return nil, err
	}
	return OpenProfile(cfg, p, credentials, providers, notify), nil
}

// OpenProfile is Open for a profile that was resolved already, or changed.
func OpenProfile(cfg *config.Config, p config.Profile, credentials *store.Store, providers Providers, notify func(string)) *Session {
	c := Config{
		Profile:       p.Name.Value,
		TokenProvider: p.TokenProvider.Value,
		Fallback:      p.Fallback.Value,
		Target:        p.Target(),
		OwnTarget:     p.Own,
		OtherURL:      cfg.OtherURL,
		Access:        p.Access.Value,
		Permissions:   p.Permissions.Value,
		SettingsHash:  cfg.SettingsHash,
		ConfigFile:    cfg.Paths.ConfigFile,
		Store:         credentialsOf(p, credentials),
		Providers:     providers,
		Verifier:      verifier{cacheDir: filepath.Join(cfg.Paths.CacheDir(), "keys"), now: time.Now},
		Notify:        notify,
	}
	if path := cfg.Audit.Value; path != "" {
		c.Audit = audit.New(path, func(err error) { c.notify(err.Error()) })
	}
	// A login chooses the provider from then on; only what is said for this one
	// run is stronger.
	switch kind := p.Provider.Origin.Kind; {
	case kind == config.KindFlag, kind == config.KindEnvironment, p.ProviderHeld:
		c.Provider = p.Provider.Value
	default:
		c.DefaultProvider = p.Provider.Value
	}
	return New(c)
}

// NeedsDatabase is an error for a session whose profile has no database.
func (c Config) NeedsDatabase() error {
	if c.Target.URL != "" {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("profile %q has no database", c.Profile),
		Hint:    fmt.Sprintf("write database = \"libsql://...\" below [profiles.%s] in %s, or set ZEN_DATABASE", c.Profile, c.ConfigFile),
	}
}
