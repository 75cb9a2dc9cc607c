// Package store is where credentials rest: one file a profile, readable by its
// owner alone, replaced atomically, and guarded by a lock of its own.
//
// The file is plain, or sealed with a key that is in the keyring of the system. What
// is no secret stands in a second file, [Meta], so that to show it no one has to be
// asked for the keyring's password.
//
// A file that can't be read for any reason but absence is never overwritten: the
// error says what is wrong with it and what to do. A keyring that doesn't answer is
// no such reason: nothing is lost, and nothing rests less well protected than before.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/zen-auth/zen/core/provider"
)

// lockTimeout bounds how long a lock is waited for where the context has no
// earlier end; a refresh that holds it is bounded by less.
const lockTimeout = 45 * time.Second

// Store keeps the records of all profiles in one directory, which any number of
// processes may use at once. It is safe for concurrent use.
type Store struct {
	dir     string
	keyring Keyring
	asked   func(profile string) Storage
	notice  func(line string)
	// memory holds the records of a store without a directory.
	memory *memory
	keys   keys
	// oneToken, if not nil, is of a store that only reads, and only one token.
	oneToken func(Record) string
}

// New returns the store in dir, which is created on the first write.
func New(dir string, options ...Option) *Store {
	s := &Store{
		dir:    dir,
		asked:  func(string) Storage { return "" },
		notice: func(string) {},
		keys:   newKeys(),
	}
	for _, option := range options {
		option(s)
	}
	return s
}

// Path returns the file of a profile; "" if none is ever written.
func (s *Store) Path(profile string) string {
	if s.memory != nil {
		return ""
	}
	return filepath.Join(s.dir, "profiles", profile+".json")
}

// Load is LoadContext without a context: the keyring has a deadline of its own.
func (s *Store) Load(profile string) (Record, error) {
	return s.LoadContext(context.Background(), profile)
}

// LoadContext reads the record of a profile, without the lock: writes are atomic, so
// a reader sees the old record or the new one. No file is an empty record. The
// context ends the wait for a keyring that has to be unlocked.
func (s *Store) LoadContext(ctx context.Context, profile string) (Record, error) {
	if err := checkName(profile); err != nil {
		return Record{}, err
	}
	if s.memory != nil {
		return s.memory.load(profile), nil
	}
	r, err := s.load(ctx, profile)
	if errors.Is(err, errUnusable) {
		// The file may have moved since it was read, and its key with it.
		r, err = s.load(ctx, profile)
	}
	return r, err
}

func (s *Store) load(ctx context.Context, profile string) (Record, error) {
	c, err := s.read(profile)
	if errors.Is(err, fs.ErrNotExist) {
		return emptyRecord(), nil
	}
	if err != nil {
		return Record{}, err
	}
	return s.open(ctx, profile, c)
}

// Locked is a record that no one else can change until its function returns.
type Locked struct {
	Record
	store   *Store
	profile string
	// ctx is Lock's, for the keyring; Locked doesn't outlive it.
	ctx context.Context
	// storage and key are those of the file on disk, if there is one.
	storage Storage
	key     string
	// aside says whether the file on disk can't be read, and is to be kept.
	aside bool
	// plan says how the first Save is to be stored.
	plan Plan
	// had are the tokens as they were when the lock was taken.
	had map[string]provider.Token
}

// Stored reads the record again: a process that doesn't share the lock may have written it.
func (l *Locked) Stored(ctx context.Context) (Record, error) {
	return l.store.LoadContext(ctx, l.profile)
}

// Lock waits for the lock of a profile, reads its record and calls fn. The lock
// is a file of its own, so that replacing the record doesn't lose it; the system
// releases it when a process dies.
func (s *Store) Lock(ctx context.Context, profile string, fn func(*Locked) error) error {
	return s.LockWith(ctx, profile, Plan{}, fn)
}

// LockWith is Lock for a login, whose first Save goes by the plan.
func (s *Store) LockWith(ctx context.Context, profile string, plan Plan, fn func(*Locked) error) error {
	if err := checkName(profile); err != nil {
		return err
	}
	if s.memory != nil {
		return s.memory.lock(ctx, s, profile, fn)
	}
	if s.oneToken != nil {
		return fmt.Errorf("lock profile %q: this store only reads", profile)
	}
	return s.locked(ctx, profile, func() error {
		l := &Locked{store: s, profile: profile, ctx: ctx, plan: plan}
		if err := l.load(); err != nil {
			return err
		}
		l.had = maps.Clone(l.Tokens)
		return fn(l)
	})
}

// locked calls fn with the lock of the profile held.
func (s *Store) locked(ctx context.Context, profile string, fn func() error) error {
	if err := s.makeDir(); err != nil {
		return err
	}
	path := s.Path(profile) + ".lock"
	if err := checkLockFile(path); err != nil {
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
	return fn()
}

func (l *Locked) load() error {
	c, err := l.store.read(l.profile)
	if errors.Is(err, fs.ErrNotExist) {
		l.Record = emptyRecord()
		return nil
	}
	if err == nil {
		l.storage, l.key = c.storage(), c.Key
		l.Record, err = l.store.open(l.ctx, l.profile, c)
	}
	if errors.Is(err, errUnusable) && l.plan.aside {
		l.Record, l.aside = emptyRecord(), true
		return nil
	}
	return err
}
