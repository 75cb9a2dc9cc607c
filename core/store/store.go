// Package store is where credentials rest: one file a profile, readable by its
// owner alone, replaced atomically, and guarded by a lock of its own.
//
// A file that can't be read for any reason but absence is never overwritten: the
// error says what is wrong with it and what to do.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/zen-auth/zen/core/provider"
)

// lockTimeout bounds how long a lock is waited for where the context has no
// earlier end; a refresh that holds it is bounded by less.
const lockTimeout = 45 * time.Second

// maxFileSize is far above what a few providers need.
const maxFileSize = 4 << 20

// Store keeps the records of all profiles in one directory. It holds no state of
// its own: any number of processes may use the same directory at once.
type Store struct{ dir string }

// New returns the store in dir, which is created on the first write.
func New(dir string) *Store { return &Store{dir: dir} }

// Path returns the file of a profile.
func (s *Store) Path(profile string) string {
	return filepath.Join(s.dir, "profiles", profile+".json")
}

// Load reads the record of a profile, without the lock: writes are atomic, so a
// reader sees the old record or the new one. No file is an empty record.
func (s *Store) Load(profile string) (Record, error) {
	if err := checkName(profile); err != nil {
		return Record{}, err
	}
	path := s.Path(profile)
	f, err := openPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{Accounts: map[string]Account{}, Tokens: map[string]provider.Token{}}, nil
	}
	if err != nil {
		return Record{}, fmt.Errorf("read credentials of profile %q: %w", profile, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return Record{}, fmt.Errorf("read credentials of profile %q: %w", profile, err)
	}
	if len(data) > maxFileSize {
		return Record{}, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("credentials file %s is larger than 4 MiB", path)}
	}
	r, err := decode(data)
	if err != nil {
		return Record{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("credentials file %s can't be used: %v", path, err),
			Hint:    "move it away and sign in again; zen leaves it as it is",
		}
	}
	return r, nil
}

// Locked is a record that nobody else can change until its function returns.
type Locked struct {
	Record
	store   *Store
	profile string
}

// Save writes the record as it is now: temporary file, fsync, rename.
func (l *Locked) Save() error {
	data, err := l.encode()
	if err != nil {
		return fmt.Errorf("encode credentials: %w", err)
	}
	path := l.store.Path(l.profile)
	if err := writePrivate(path, data); err != nil {
		return fmt.Errorf("write credentials of profile %q: %w", l.profile, err)
	}
	return nil
}

// Lock waits for the lock of a profile, reads its record and calls fn. The lock
// is a file of its own, so that replacing the record doesn't lose it; the system
// releases it when a process dies.
func (s *Store) Lock(ctx context.Context, profile string, fn func(*Locked) error) error {
	if err := checkName(profile); err != nil {
		return err
	}
	path := s.Path(profile) + ".lock"
	if err := makePrivateDir(filepath.Dir(path)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	lock := flock.New(path, flock.SetPermissions(0o600))
	if ok, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil || !ok {
		if errors.Is(err, context.DeadlineExceeded) {
			return &provider.Error{
				Kind:    provider.ErrUnavailable,
				Message: fmt.Sprintf("%s holds the lock of profile %q (%s)", holder(path), profile, path),
				Hint:    "wait for it, or end it",
				Err:     err,
			}
		}
		return fmt.Errorf("lock profile %q: %w", profile, err)
	}
	defer lock.Unlock()
	sign(path)
	record, err := s.Load(profile)
	if err != nil {
		return err
	}
	return fn(&Locked{Record: record, store: s, profile: profile})
}

// checkName wants a name that is a file's, and no path. It is no regular
// expression, because compiling one would be a good part of a warm zen token.
func checkName(profile string) error {
	good := profile != "" && len(profile) <= 64 && !strings.ContainsAny(profile[:1], "._-")
	for i := range len(profile) {
		c := profile[i]
		good = good && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-", c) >= 0)
	}
	if good {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("profile name %q is not valid", profile),
		Hint:    "use up to 64 letters, digits, dots, dashes and underscores, a letter or digit first",
	}
}

// makePrivateDir creates dir and its parents for their owner alone, and closes
// dir to others where it was open.
func makePrivateDir(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.Chmod(dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("create state directory: %w", err)
	}
	return nil
}
