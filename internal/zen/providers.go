package zen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/session"
)

// Providers starts providers when they are needed, with their settings.
type Providers struct {
	// Dirs are searched, in this order.
	Dirs []string
	// Pins say which binaries may run.
	Pins *pin.Policy
	// Overrides are the providers that are being written, where Options.Overridden
	// allows any.
	Overrides *pin.Overrides

	sums       sums
	config     *config.Config
	manager    *host.Manager
	reattach   string
	overridden func(name, path string)
	notify     func(string)
	ask        func(context.Context, host.Binary, []string) (bool, error)

	// asking guards what is below, while a person is asked, too.
	asking sync.Mutex
	// binaries are the pinned providers, by name; refused the variables that one was not
	// allowed.
	binaries map[string]host.Binary
	refused  map[string][]string
}

func newProviders(cfg *config.Config, dirs []string, o Options) *Providers {
	pins := &pin.Policy{
		Bundled: o.Bundled,
		Lock:    pin.NewLock(filepath.Join(cfg.Paths.StateDir, "zen.lock")),
		Ask:     o.AskProvider,
		// Who comes with no providers and can't ask is an application: zen, of which the
		// hints speak, finds other copies.
		ByPath: o.AskProvider == nil && o.Bundled == nil,
	}
	p := &Providers{
		Dirs: dirs, Pins: pins, config: cfg,
		Overrides: pin.NewOverrides(filepath.Join(cfg.Paths.StateDir, "overrides.toml")),
		reattach:  o.Reattach, overridden: o.Overridden, notify: o.Notify, ask: o.AskVariables,
		binaries: map[string]host.Binary{},
		sums:     sums{filepath.Join(cfg.Paths.CacheDir(), "providers.json"), time.Now},
	}
	p.manager = host.NewManager(host.Options{
		Dirs: dirs, Trust: pins.Trust, Override: p.override, Log: o.Log, Level: o.LogLevel,
		Expect: o.Expect, Watcher: o.Watcher, TraceDir: filepath.Join(cfg.Paths.StateDir, "crashes"),
		Described: func(ctx context.Context, b host.Binary, d provider.Description) {
			p.asking.Lock()
			p.binaries[b.Name] = b
			p.asking.Unlock()
			_ = pins.Learn(ctx, b, d.Version) // it is for people: nothing rests on it
		},
	})
	return p
}

// Overriding returns the paths of what runs in place of installed providers, by name.
func (p *Providers) Overriding() (map[string]string, error) {
	paths, _, err := p.overriding()
	return paths, err
}

// overriding returns the paths, and among them those that the file of overrides records.
func (p *Providers) overriding() (paths, recorded map[string]string, err error) {
	if p.overridden == nil {
		return nil, nil, nil
	}
	recorded, err = p.Overrides.Load()
	if err != nil || p.reattach == "" {
		return recorded, recorded, err
	}
	// It wins, as what was said last and for this terminal.
	paths = maps.Clone(recorded)
	if err := json.Unmarshal([]byte(p.reattach), &paths); err != nil {
		return nil, nil, &provider.Error{
			Kind: provider.ErrConfig, Message: handshake.ReattachKey + ` is not {"NAME":"SOCKET"}`,
			Hint: "a provider that is started with " + handshake.DebugKey + "=1 prints what it takes",
		}
	}
	return paths, recorded, nil
}

// override is for host.Options. A program needs no pin only where its author said
// so to zen: the environment is for sockets.
func (p *Providers) override(name string) (path string, err error) {
	paths, recorded, err := p.overriding()
	if path = paths[name]; err != nil || path == "" {
		return "", err
	}
	if info, err := os.Lstat(path); path != recorded[name] && (err != nil || info.Mode()&os.ModeSocket == 0) {
		return "", &provider.Error{
			Kind: provider.ErrNoProvider, Message: fmt.Sprintf("attach to provider %s: %.100q is no socket", name, path),
			Hint: "start it again with " + handshake.DebugKey + "=1, or unset " + handshake.ReattachKey,
		}
	}
	p.overridden(name, path)
	return path, nil
}

// List returns the provider binaries that can be found. It starts none.
func (p *Providers) List() []host.Found { return p.manager.List() }

// All returns the copies of all providers, in the order in which they are found: of two with
// one name the first runs. It starts none.
func (p *Providers) All() []host.Found {
	var all []host.Found
	for _, dir := range p.Dirs {
		all = append(all, host.List(dir)...)
	}
	slices.SortStableFunc(all, func(a, b host.Found) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// check returns the reason why a provider can't run, without starting it: its binary isn't
// found, or it isn't pinned.
func (p *Providers) check(name string) error {
	if path, err := p.override(name); err != nil || path != "" {
		return err
	}
	binary, err := p.inspect(name)
	if err == nil {
		_, err = p.Pins.Known(binary)
	}
	return err
}

// inspect finds and hashes a provider's binary, or knows its sum.
func (p *Providers) inspect(name string) (host.Binary, error) {
	for _, found := range p.List() {
		if found.Name == name && found.Err == nil {
			return p.sums.inspect(name, found.Path)
		}
	}
	return host.Inspect(p.Dirs, name) // for its error
}

// Describe implements session.Providers. The fields name no variable that the provider may
// not have: see Options.AskVariables.
func (p *Providers) Describe(ctx context.Context, name string) (provider.Description, error) {
	description, err := p.manager.Describe(ctx, name)
	if err == nil {
		description.Fields, err = p.permitted(ctx, name, description.Fields)
	}
	return description, err
}

// Said returns a provider's description of itself, with all the variables that it asks for.
func (p *Providers) Said(ctx context.Context, name string) (provider.Description, error) {
	return p.manager.Describe(ctx, name)
}

// open starts the provider, reads its schema, and configures it by that.
func (p *Providers) open(ctx context.Context, name string) (*host.Client, error) {
	description, err := p.Describe(ctx, name)
	if err != nil {
		return nil, err
	}
	resolved, err := p.config.Resolve(description.Fields, name)
	if err != nil {
		return nil, err
	}
	client, err := p.manager.Open(ctx, name, config.SettingsOf(resolved))
	if err != nil {
		return nil, whence(err, resolved)
	}
	return client, nil
}

// whence adds to a provider's refusal of a setting where its value came from: the
// environment goes before the file that a person may be looking at.
func whence(err error, resolved []config.Setting) error {
	if !errors.Is(err, provider.ErrConfig) {
		return err
	}
	for _, s := range resolved {
		if s.Origin.Kind != config.KindDefault && strings.Contains(err.Error(), s.Field.Key) {
			return fmt.Errorf("%w (%s is from %s)", err, s.Field.Key, s.Origin)
		}
	}
	return err
}

// End begins to end the providers, which none is called after. Client.Close waits for that.
func (p *Providers) End() { p.manager.End() }

// Interface guards
var _ session.Providers = (*Providers)(nil)
