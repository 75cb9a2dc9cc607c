package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/private"
)

// Store is the provider directory and its pins. It is safe for concurrent use, by
// other processes, too.
type Store struct {
	// Dir takes the binaries; it is made with mode 0755.
	Dir  string
	Lock *pin.Lock
	// Client downloads; nil means one that follows redirects, as downloads
	// from GitHub need it.
	Client *http.Client

	limit int64  // in tests; 0 means maxFile
	steps func() // in tests, called between the steps of an exchange
}

func (s *Store) step() {
	if s.steps != nil {
		s.steps()
	}
}

// stagingPrefix begins the name of a directory in which a provider is made ready.
const stagingPrefix = ".install-"

// Request says what to install.
type Request struct {
	// Source is a file, a directory with one provider binary, or an https URL: a
	// binary zen-provider-NAME, or a .tar.gz or .zip with one in it.
	Source string
	// SHA256 is the sum of the source, in hexadecimal.
	SHA256 string
	// Checksums is a file or an https URL with sums as sha256sum writes them.
	Checksums string
	// Key is the Ed25519 public key, in base64, that signed Checksums; Signature is
	// where the signature is, "" for Checksums with .sig.
	Key, Signature string
	// Force allows an older version, and one that another key signed than the one that
	// is there, or none.
	Force bool
}

// Installed is a provider's binary that may run.
type Installed struct {
	Binary host.Binary
	Pin    pin.Pin
	// Fields are the settings that it describes; nil after a rollback.
	Fields []provider.Field
}

// Install checks and installs what r says. A download needs a sum, or a signed
// checksums file. Nothing has changed after an error.
func (s *Store) Install(ctx context.Context, r Request) (Installed, error) {
	client := cmp.Or(s.Client, &http.Client{Transport: httpclient.Wrap(httpclient.New())})
	source, err := resolve(r.Source)
	if err != nil {
		return Installed{}, err
	}
	sum, known, err := wanted(ctx, client, r, source)
	if err != nil {
		return Installed{}, err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return Installed{}, failed("", "%v", err)
	}
	// In the same directory, so that a rename is all that is left to do.
	private.SweepDirs(ctx, s.Dir, stagingPrefix, time.Now(), nil)
	staged, err := private.MakeDir(s.Dir, stagingPrefix)
	if err != nil {
		return Installed{}, failed("", "%v", err)
	}
	defer staged.Remove()
	staging := staged.Path
	name := baseName(source)
	file := filepath.Join(staging, "source")
	if err := fetch(ctx, client, source, file, cmp.Or(s.limit, maxFile)); err != nil {
		return Installed{}, err
	}
	if err := checkFile(file, sum); err != nil {
		return Installed{}, err
	}
	binary := filepath.Join(staging, name)
	if isArchive(name) {
		binary, err = unpack(file, name, staging, cmp.Or(s.limit, maxFile))
	} else if _, ok := handshake.ProviderName(name); !ok {
		err = failed("", "%.60q is neither %s nor an archive (.tar.gz, .zip)", name, handshake.BinaryName("NAME"))
	} else {
		err = os.Rename(file, binary)
	}
	if err != nil {
		return Installed{}, err
	}
	if err := os.Chmod(binary, 0o755); err != nil {
		return Installed{}, failed("", "%v", err)
	}
	if !isURL(source) {
		if source, err = filepath.Abs(source); err != nil {
			return Installed{}, failed("", "%v", err)
		}
	}
	return s.place(ctx, staging, filepath.Base(binary), pin.Pin{Source: source, Known: known}, r.Force)
}

// place asks the staged binary who it is, and puts it into the directory.
func (s *Store) place(ctx context.Context, staging, file string, p pin.Pin, force bool) (Installed, error) {
	name, _ := handshake.ProviderName(file)
	binary, err := host.Inspect([]string{staging}, name)
	if err != nil {
		return Installed{}, err
	}
	description, err := describe(ctx, staging, binary)
	if err != nil {
		return Installed{}, err
	}
	p.Version = description.Version
	err = s.Lock.Swap(ctx, name, func(pins map[string]pin.Pin) (pin.Pin, error) {
		s.settle(name, pins)
		old, pinned := pins[name]
		if pinned && !force && Older(p.Version, old.Version) {
			return pin.Pin{}, failed("--force installs it all the same", "version %s of %s is older than %s, which is there", p.Version, name, old.Version)
		}
		if pinned && !force && pin.IsEd25519(old.Known) && p.Known != old.Known {
			return pin.Pin{}, failed("if its author said so: --force", "%s is known by %s, which did not sign this one (%s)", name, old.Known, p.Known)
		}
		if _, err := os.Lstat(s.path(name)); err == nil && pinned {
			old.Previous = nil
			p.Previous = &old
		}
		p.Platforms = map[string]pin.Sum{pin.Platform(): {SHA256: binary.SHA256, Size: binary.Size}}
		return p, nil
	}, func() error { return s.exchange(name, binary.Path) })
	binary.Path = s.path(name)
	return Installed{Binary: binary, Pin: p, Fields: description.Fields}, err
}

// describe runs the staged binary, and nothing else, to ask for its version. A
// binary that says that it is another provider fails.
func describe(ctx context.Context, staging string, staged host.Binary) (provider.Description, error) {
	m := host.NewManager(host.Options{Dirs: []string{staging}, Trust: func(_ context.Context, b host.Binary) error {
		if b != staged {
			return failed("", "the file changed meanwhile")
		}
		return nil
	}})
	defer m.Close(context.WithoutCancel(ctx)) // three seconds at most
	return m.Describe(ctx, staged.Name)
}

func (s *Store) path(name string) string { return filepath.Join(s.Dir, handshake.BinaryName(name)) }

// previous returns the path of the binary that was replaced. No provider is looked for
// there.
func (s *Store) previous(name string) string {
	return filepath.Join(s.Dir, ".previous", handshake.BinaryName(name))
}

// next returns the path at which the present binary waits to become the previous one.
func (s *Store) next(name string) string { return s.previous(name) + ".next" }

// exchange puts the binary at from into the directory, and makes what is there the
// previous one: at each moment one of them is there, whole, and the other is kept.
func (s *Store) exchange(name, from string) error {
	_, err := os.Lstat(s.path(name))
	replaces := err == nil
	if replaces {
		if err := os.MkdirAll(filepath.Dir(s.next(name)), 0o755); err != nil {
			return failed("", "%v", err)
		}
		_ = os.Remove(s.next(name))
		if err := os.Link(s.path(name), s.next(name)); err != nil {
			return failed("", "keep the version that is there: %v", err)
		}
	}
	s.step()
	if err := os.Rename(from, s.path(name)); err != nil {
		_ = os.Remove(s.next(name))
		if runtime.GOOS == "windows" && errors.Is(err, fs.ErrPermission) {
			return failed("end the zen that uses it (zen proxy, zen exec), and try again",
				"Windows replaces no program that is running: %s", s.path(name))
		}
		return failed("", "%v", err)
	}
	s.step()
	if replaces {
		if err := os.Rename(s.next(name), s.previous(name)); err != nil {
			return failed("", "%v", err)
		}
	}
	s.step()
	return nil
}

// settle tidies up after an exchange that was cut short: by the sums of the files, the
// lock is held.
func (s *Store) settle(name string, pins map[string]pin.Pin) {
	there, err := host.InspectFile(name, s.path(name))
	if err != nil {
		there.SHA256 = ""
	}
	if _, err := os.Lstat(s.next(name)); err == nil {
		if kept, err := host.InspectFile(name, s.next(name)); err == nil && kept.SHA256 != there.SHA256 {
			_ = os.Rename(s.next(name), s.previous(name))
		} else {
			_ = os.Remove(s.next(name))
		}
	}
	p := pins[name]
	if p.Pending == nil {
		return
	}
	sum, _ := p.Pending.Here()
	switch {
	case there.SHA256 != "" && sum.SHA256 == there.SHA256:
		pins[name] = *p.Pending
	case len(p.Platforms) == 0: // it was the first of that name
		delete(pins, name)
	default:
		p.Pending = nil
		pins[name] = p
	}
}

// Rollback puts the version back that the last Install replaced. Doing it again
// undoes it.
func (s *Store) Rollback(ctx context.Context, name string) (Installed, error) {
	var back Installed
	err := s.Lock.Swap(ctx, name, func(pins map[string]pin.Pin) (pin.Pin, error) {
		s.settle(name, pins)
		current := pins[name]
		if current.Previous == nil {
			return pin.Pin{}, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("roll back provider: %q has no previous version", name)}
		}
		binary, err := host.InspectFile(name, s.previous(name))
		if err != nil {
			return pin.Pin{}, err
		}
		restored := *current.Previous
		if sum, ok := restored.Here(); !ok || sum.SHA256 != binary.SHA256 {
			return pin.Pin{}, fmt.Errorf("roll back provider: %w", &pin.ChangedError{Binary: binary, Want: sum.SHA256})
		}
		current.Previous = nil
		restored.Previous = &current
		binary.Path = s.path(name)
		back = Installed{Binary: binary, Pin: restored}
		return restored, nil
	}, func() error { return s.exchange(name, s.previous(name)) })
	return back, err
}

// Remove takes a provider, the version before it and its pin away. Without any of
// these it is provider.ErrNoProvider.
func (s *Store) Remove(ctx context.Context, name string) error {
	if _, ok := handshake.ProviderName(handshake.BinaryName(name)); !ok {
		return &handshake.NameError{Name: name}
	}
	return s.Lock.Update(ctx, func(pins map[string]pin.Pin) error {
		_, found := pins[name]
		delete(pins, name)
		for _, file := range []string{s.path(name), s.previous(name), s.next(name)} {
			switch err := os.Remove(file); {
			case err == nil:
				found = true
			case !os.IsNotExist(err):
				return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("remove provider: %v", err), Err: err}
			}
		}
		if !found {
			return &provider.Error{Kind: provider.ErrNoProvider, Message: fmt.Sprintf("remove provider: %q is not installed in %s", name, s.Dir)}
		}
		return nil
	})
}
