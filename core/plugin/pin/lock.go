package pin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"
	"github.com/pelletier/go-toml/v2"

	"github.com/zen-auth/zen/core/provider"
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
	// Checksums was in a checksums file whose signature nobody checked.
	Checksums = "checksums"
)

// Ed25519 is how a sum is known from a checksums file that the key signed.
func Ed25519(keyID string) string { return "ed25519:" + keyID }

// Pin is what is known of one provider.
type Pin struct {
	// Version is what the provider says; "" until it was asked, at its first start.
	Version string `toml:"version,omitempty"`
	// Source is where it came from: a URL or a path.
	Source string `toml:"source"`
	// Known is how its sum is known.
	Known string `toml:"known"`
	// Platforms are the sums, by OS_ARCH.
	Platforms map[string]Sum `toml:"platforms"`
	// Previous is what it replaced, for a rollback.
	Previous *Pin `toml:"previous,omitempty"`
}

// Sum tells one binary.
type Sum struct {
	SHA256 string `toml:"sha256"`
	Size   int64  `toml:"size"`
}

// Platform names the platform of this program in a lock file.
func Platform() string { return runtime.GOOS + "_" + runtime.GOARCH }

// Here is the sum for this platform; ok is false where there is none.
func (p Pin) Here() (sum Sum, ok bool) {
	sum, ok = p.Platforms[Platform()]
	return sum, ok
}

// Lock is a lock file. It is safe for concurrent use, by other processes, too.
type Lock struct{ path string }

// NewLock is the lock file at path, which need not exist.
func NewLock(path string) *Lock { return &Lock{path: path} }

// Path is where the file is.
func (l *Lock) Path() string { return l.path }

type document struct {
	Version   int            `toml:"version"`
	Providers map[string]Pin `toml:"providers"`
}

// Load reads the pins, by the name of the provider. A file that others could have
// written is an error, which is provider.ErrConfig, as is one that isn't
// understood.
func (l *Lock) Load() (map[string]Pin, error) {
	data, err := l.read()
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]Pin{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", l.path, err)
	}
	var doc document
	decoder := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil || doc.Version != lockVersion {
		if err == nil {
			err = fmt.Errorf("its version is %d, not %d", doc.Version, lockVersion)
		}
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("read %s: %v", l.path, err),
			Hint: "a newer zen may have written it; zen provider trust NAME makes a new one once it is moved away",
		}
	}
	if doc.Providers == nil {
		doc.Providers = map[string]Pin{}
	}
	return doc.Providers, nil
}

// maxLock bounds what is read.
const maxLock = 1 << 20

func (l *Lock) read() ([]byte, error) {
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkOwn(info); err != nil {
		return nil, err
	}
	if info.Size() > maxLock {
		return nil, errors.New("it is larger than 1 MiB")
	}
	data := make([]byte, info.Size())
	n, err := f.ReadAt(data, 0)
	if n == len(data) {
		err = nil
	}
	return data, err
}

// Update changes the pins in one step: no other process changes them meanwhile, and
// none sees them half written. It waits for others until ctx ends, ten seconds at
// most.
func (l *Lock) Update(ctx context.Context, change func(pins map[string]Pin) error) error {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", l.path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	guard := flock.New(l.path + ".lock")
	if _, err := guard.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("wait for another zen that writes %s: %w", l.path, err)
	}
	defer guard.Close()
	pins, err := l.Load()
	if err != nil {
		return err
	}
	if err := change(pins); err != nil {
		return err
	}
	data, err := toml.Marshal(document{Version: lockVersion, Providers: pins})
	if err == nil {
		err = l.write(append([]byte(header), data...))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", l.path, err)
	}
	return nil
}

// write replaces the file at once, or not at all.
func (l *Lock) write(data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(l.path), ".zen.lock-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), l.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

const header = "# The provider programs that zen may run. zen provider writes it.\n"
