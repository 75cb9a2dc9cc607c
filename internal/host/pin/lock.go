package pin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/zen-auth/zen/internal/host"
)

// lockVersion is the version of the file's form.
const lockVersion = 1

// How a sum is known, besides Ed25519.
const (
	// Bundled came with the program: its sum was known when that was built.
	Bundled = "bundled"
	// Local was accepted on this machine, as it was found.
	Local = "local"
	// SHA256 was given with the command that installed it.
	SHA256 = "sha256"
	// Checksums was in a checksums file whose signature was not checked.
	Checksums = "checksums"
)

// Ed25519 returns how a sum is known from a checksums file that the key signed.
func Ed25519(keyID string) string { return "ed25519:" + keyID }

// IsEd25519 reports whether a sum is known from a signature.
func IsEd25519(known string) bool { return strings.HasPrefix(known, Ed25519("")) }

// Pin describes one provider.
type Pin struct {
	// Version is the provider's own; "" until it was asked, at its first start.
	Version string `toml:"version,omitempty"`
	// Source is its origin: a URL or a path.
	Source string `toml:"source"`
	// Known says how its sum is known.
	Known string `toml:"known"`
	// Env are the variables of other families than the provider's own that it may have,
	// by the word of a person.
	Env []string `toml:"env,omitempty"`
	// Platforms are the sums, by OS_ARCH.
	Platforms map[string]Sum `toml:"platforms"`
	// Previous is the pin that it replaced, for a rollback.
	Previous *Pin `toml:"previous,omitempty"`
	// Pending is the pin that takes this one's place right now, or did when its writer was
	// killed: either may run until the next change says which it is.
	Pending *Pin `toml:"pending,omitempty"`
}

// Sum identifies one binary.
type Sum struct {
	SHA256 string `toml:"sha256"`
	Size   int64  `toml:"size"`
}

// Platform names the platform of this program in a lock file.
func Platform() string { return runtime.GOOS + "_" + runtime.GOARCH }

// Here returns the sum for this platform; ok is false if there is none.
func (p Pin) Here() (sum Sum, ok bool) {
	sum, ok = p.Platforms[Platform()]
	return sum, ok
}

// Lock is a lock file. It is safe for concurrent use, by other processes, too.
type Lock struct{ file file }

// NewLock returns the lock file at path, which need not exist.
func NewLock(path string) *Lock { return &Lock{file{path}} }

// Path returns the path of the file.
func (l *Lock) Path() string { return l.file.path }

type document struct {
	Version   int            `toml:"version"`
	Providers map[string]Pin `toml:"providers"`
	// Copies are the pins of further copies, by the path of each.
	Copies map[string]Copy `toml:"copies,omitempty"`
}

// Copy describes one provider at one path beside the pin of its name: the copy
// that a zen came with, for programs that find another one first or know no sums.
type Copy struct {
	Name string `toml:"name"`
	Pin
}

// Load reads the pins, by the name of the provider. A file that others could have
// written is an error, which is provider.ErrConfig, as is one that isn't
// understood.
func (l *Lock) Load() (map[string]Pin, error) {
	doc, err := l.load()
	return doc.Providers, err
}

func (l *Lock) load() (document, error) {
	doc := document{Providers: map[string]Pin{}, Copies: map[string]Copy{}}
	err := l.file.load(&doc, "a newer zen may have written it; zen provider trust NAME makes a new one once it is moved away", func() error {
		if doc.Version != lockVersion {
			return fmt.Errorf("its version is %d, not %d", doc.Version, lockVersion)
		}
		return nil
	})
	if err != nil {
		return document{}, err
	}
	return doc, nil
}

// Update changes the pins in one step: no other process changes them meanwhile, and
// none sees them half written. It waits for others until ctx ends, ten seconds at
// most.
func (l *Lock) Update(ctx context.Context, change func(pins map[string]Pin) error) error {
	return l.update(ctx, func(doc document) error { return change(doc.Providers) })
}

// update is Update, for the copies, too.
func (l *Lock) update(ctx context.Context, change func(document) error) error {
	return l.file.alone(ctx, func() error {
		doc, err := l.load()
		if err == nil {
			err = change(doc)
		}
		if err != nil {
			return err
		}
		return l.save(doc)
	})
}

// updatePin changes the pin that b runs by; without one it returns an UnknownError.
func (l *Lock) updatePin(ctx context.Context, b host.Binary, change func(*Pin)) error {
	return l.update(ctx, func(doc document) error {
		named, copied := doc.Providers[b.Name], doc.Copies[b.Path]
		switch {
		case named.is(b.SHA256):
			change(&named)
			doc.Providers[b.Name] = named
		case copied.Name == b.Name && copied.is(b.SHA256):
			change(&copied.Pin)
			doc.Copies[b.Path] = copied
		default:
			return &UnknownError{Binary: b}
		}
		return nil
	})
}

// SetCopy pins b at its path, and leaves the pin of its name as it is.
func (l *Lock) SetCopy(ctx context.Context, b host.Binary, pin Pin) error {
	return l.update(ctx, func(doc document) error {
		pin.Platforms = map[string]Sum{Platform(): {SHA256: b.SHA256, Size: b.Size}}
		for path := range doc.Copies {
			if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
				delete(doc.Copies, path) // of a zen that was moved or removed
			}
		}
		doc.Copies[b.Path] = Copy{Name: b.Name, Pin: pin}
		return nil
	})
}

// AllowEnv lets b have these variables. It has to be pinned.
func (l *Lock) AllowEnv(ctx context.Context, b host.Binary, names []string) error {
	return l.updatePin(ctx, b, func(p *Pin) {
		p.Env = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.Env, names))))
	})
}

// learn notes the version of b in its pin, if it has one.
func (l *Lock) learn(ctx context.Context, b host.Binary, version string) error {
	err := l.updatePin(ctx, b, func(p *Pin) { p.Version = version })
	if _, unknown := errors.AsType[*UnknownError](err); unknown {
		return nil
	}
	return err
}

// CopyAt returns the pin of a copy of the provider at a path; ok is false if there is none.
func (l *Lock) CopyAt(name, path string) (pin Pin, ok bool, err error) {
	doc, err := l.load()
	pin, ok = doc.copyAt(name, path)
	return pin, ok, err
}

func (d document) copyAt(name, path string) (Pin, bool) {
	c, ok := d.Copies[path]
	return c.Pin, ok && c.Name == name
}

// Swap changes the pin of name together with its file. change says what it becomes, and
// swap puts the file there. Both pins are in the lock file meanwhile, so that the
// provider runs whenever this process is killed, and whichever file is there then. Swap
// waits as Update does; after an error of change or swap nothing has changed.
func (l *Lock) Swap(ctx context.Context, name string, change func(pins map[string]Pin) (Pin, error), swap func() error) error {
	return l.file.alone(ctx, func() error {
		doc, err := l.load()
		if err != nil {
			return err
		}
		pins := doc.Providers
		next, err := change(pins)
		if err != nil {
			return err
		}
		before, had := pins[name]
		marked := before
		marked.Pending = &next
		pins[name] = marked
		if err := l.save(doc); err != nil {
			return err
		}
		if err := swap(); err != nil {
			if pins[name] = before; !had {
				delete(pins, name)
			}
			_ = l.save(doc) // else what is pending stays so, and is not there
			return err
		}
		pins[name] = next
		// If it can't be written, on a full disk, what is pending runs, and the next
		// change tidies up.
		_ = l.save(doc)
		return nil
	})
}

// settle makes the pending pin the pin, for a binary that is pinned by that.
func (l *Lock) settle(ctx context.Context, name, sum string) error {
	return l.Update(ctx, func(pins map[string]Pin) error {
		if pending := pins[name].Pending; pending != nil && pending.is(sum) {
			pins[name] = *pending
		}
		return nil
	})
}

// is reports whether the pin is of a binary with that sum.
func (p Pin) is(sum string) bool {
	here, ok := p.Here()
	return ok && here.SHA256 == sum
}

func (l *Lock) save(doc document) error {
	doc.Version = lockVersion
	return l.file.save("# The provider programs that zen may run. zen provider writes it.\n", doc)
}
