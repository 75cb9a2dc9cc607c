package pin

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/host"
)

// Policy says which binaries may run. Its Trust is for host.Options.
type Policy struct {
	// Bundled are the SHA-256 sums of the providers that the program came with, in
	// hexadecimal, by name.
	Bundled map[string]string
	// Lock holds the others.
	Lock *Lock
	// Ask asks a person whether a binary that was never seen may run, from now on.
	// Nil means a no, with a hint. A binary that changed is never asked about. It is
	// called by one goroutine at a time.
	Ask func(context.Context, host.Binary) (bool, error)

	// ByPath has the hints name a binary by its path: for a program that finds other
	// copies of a provider than zen does.
	ByPath bool

	asking sync.Mutex
}

// Trust is nil for a binary that may run. Its errors are UnknownError and
// ChangedError, and those of the lock file and of Ask. It is safe for concurrent
// use.
func (p *Policy) Trust(ctx context.Context, b host.Binary) error {
	known, err := p.Known(b)
	if err == nil && p.Bundled[b.Name] == b.SHA256 {
		// For the programs that use it without knowing its sum. If it can't be
		// written, they say so.
		if noted, ok, noteErr := p.Lock.CopyAt(b.Name, b.Path); noteErr == nil && (!ok || !noted.is(b.SHA256)) {
			_ = p.Lock.SetCopy(ctx, b, known)
		}
		return nil
	}
	if err == nil && p.wasPending(b) {
		// What killed an installation is over. If it can't be written now, it is next time.
		_ = p.Lock.settle(ctx, b.Name, b.SHA256)
	}
	unknown, isUnknown := err.(*UnknownError)
	if !isUnknown || p.Ask == nil {
		return err
	}
	p.asking.Lock()
	defer p.asking.Unlock()
	if _, err := p.Known(b); err == nil {
		return nil // the answer to another caller's question
	}
	ok, err := p.Ask(ctx, b)
	if err != nil {
		return err
	}
	if !ok {
		return unknown
	}
	return p.Lock.Set(ctx, b, Pin{Source: b.Path, Known: Local})
}

// wasPending reports whether b runs by a pin that was left pending.
func (p *Policy) wasPending(b host.Binary) bool {
	pins, err := p.Lock.Load()
	return err == nil && !pins[b.Name].is(b.SHA256)
}

// Known says how the sum of b is known, or why it isn't. It asks no question.
func (p *Policy) Known(b host.Binary) (Pin, error) {
	bundled := p.Bundled[b.Name]
	if bundled == b.SHA256 {
		return Pin{Known: Bundled, Source: b.Path, Platforms: map[string]Sum{Platform(): {SHA256: b.SHA256, Size: b.Size}}}, nil
	}
	doc, err := p.Lock.load()
	if err != nil {
		return Pin{}, err
	}
	known := doc.Providers[b.Name]
	pinned, ok := known.Here()
	copied, isCopy := doc.copyAt(b.Name, b.Path)
	switch {
	case known.is(b.SHA256):
		return known, nil
	case known.Pending != nil && known.Pending.is(b.SHA256):
		return *known.Pending, nil
	case isCopy && copied.is(b.SHA256):
		return copied, nil
	case isCopy:
		sum, _ := copied.Here()
		return Pin{}, &ChangedError{Binary: b, Want: sum.SHA256, ByPath: p.ByPath}
	case ok:
		return Pin{}, &ChangedError{Binary: b, Want: pinned.SHA256, ByPath: p.ByPath}
	case bundled != "":
		return Pin{}, &ChangedError{Binary: b, Want: bundled, ByPath: p.ByPath}
	}
	return Pin{}, &UnknownError{Binary: b, ByPath: p.ByPath}
}

// Learn notes the version that b says, where its pin has none: what is pinned as it
// was found wasn't asked. A bundled binary's pin is that of its path.
func (p *Policy) Learn(ctx context.Context, b host.Binary, version string) error {
	known, err := p.Known(b)
	if err == nil && p.Bundled[b.Name] == b.SHA256 {
		known, ok, err := p.Lock.CopyAt(b.Name, b.Path)
		if err != nil || !ok || !known.is(b.SHA256) || known.Version == version {
			return err
		}
		known.Version = version
		return p.Lock.SetCopy(ctx, b, known)
	}
	if err != nil || known.Known == Bundled || known.Version != "" {
		return err
	}
	return p.Lock.learn(ctx, b, version)
}

// Set pins b for this platform. The sums for other platforms stay where the
// version does, or isn't known yet.
func (l *Lock) Set(ctx context.Context, b host.Binary, pin Pin) error {
	return l.Update(ctx, func(pins map[string]Pin) error {
		platforms := map[string]Sum{}
		if old, ok := pins[b.Name]; ok && (pin.Version == "" || pin.Version == old.Version) && old.Source == pin.Source {
			maps.Copy(platforms, old.Platforms)
		}
		platforms[Platform()] = Sum{SHA256: b.SHA256, Size: b.Size}
		pin.Platforms = platforms
		pins[b.Name] = pin
		return nil
	})
}

// UnknownError reports a binary that has no pin. It is provider.ErrNoProvider.
type UnknownError struct {
	Binary host.Binary
	ByPath bool
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("provider %s is not pinned: %s has not been trusted yet", e.Binary.Name, e.Binary.Path)
}

// ErrorID returns the error's name in JSON.
func (e *UnknownError) ErrorID() string { return "provider_unknown" }

// Unwrap has the hint.
func (e *UnknownError) Unwrap() error {
	return &provider.Error{
		Kind: provider.ErrNoProvider,
		Hint: fmt.Sprintf("if you trust it: zen provider trust %s", argument(e.Binary, e.ByPath)),
	}
}

// ChangedError reports a binary whose sum differs from its pin. It is
// provider.ErrNoProvider.
type ChangedError struct {
	Binary host.Binary
	// Want is the SHA-256 that was accepted.
	Want   string
	ByPath bool
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("provider %s was changed: %s has sha256 %.12s..., pinned is %.12s...",
		e.Binary.Name, e.Binary.Path, e.Binary.SHA256, e.Want)
}

// ErrorID returns the error's name in JSON.
func (e *ChangedError) ErrorID() string { return "provider_changed" }

// Unwrap has the hint.
func (e *ChangedError) Unwrap() error {
	return &provider.Error{
		Kind: provider.ErrNoProvider,
		Hint: fmt.Sprintf("if you changed it yourself: zen provider trust --force %s; else install it anew", argument(e.Binary, e.ByPath)),
	}
}

// argument names the binary for zen provider trust.
func argument(b host.Binary, byPath bool) string {
	if byPath {
		return b.Path
	}
	return b.Name
}
