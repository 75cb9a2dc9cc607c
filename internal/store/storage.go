package store

import (
	"context"
	"errors"

	"github.com/zen-auth/zen/core/provider"
)

// Storage says how the credentials of a profile are stored.
type Storage string

// The storages. The zero Storage is a profile that nothing is stored of.
const (
	// StorageKeyring is a sealed file; its key is in the keyring of the system.
	StorageKeyring Storage = "keyring"
	// StorageFile is a plain file that its owner alone can read.
	StorageFile Storage = "file"
	// StorageNone is the memory of the process.
	StorageNone Storage = "none"
)

// phrase returns the storage in a sentence.
func (s Storage) phrase() string {
	switch s {
	case StorageKeyring:
		return "a sealed file"
	case StorageFile:
		return "a plain file"
	}
	return "memory"
}

// ErrNoItem is a keyring's answer that it has no such item.
var ErrNoItem = errors.New("no such item in the keyring")

// Keyring keeps short secrets, one an item. Every error of it but ErrNoItem is
// provider.ErrUnavailable: locked, absent, hanging and dismissed are all the same to a
// credential that must not be lost.
type Keyring interface {
	Get(ctx context.Context, item string) (provider.Secret, error)
	Set(ctx context.Context, item string, secret provider.Secret) error
	Delete(ctx context.Context, item string) error
	// Probe reports whether an item can be written, read and deleted.
	Probe(ctx context.Context) error
}

// Option changes what New makes.
type Option func(*Store)

// WithKeyring seals files with keys in k. Without it there is no keyring: what is
// new is a plain file, and what is sealed can't be read.
func WithKeyring(k Keyring) Option { return func(s *Store) { s.keyring = k } }

// WithStorage says which storage is asked for, a profile at a time; "" leaves it to
// the store: the keyring if there is one, else a plain file.
func WithStorage(asked func(profile string) Storage) Option {
	return func(s *Store) { s.asked = asked }
}

// WithNotice takes what a person should be told, a line at a time: that credentials
// will be in a plain file although none was asked for, that a damaged file was set
// aside, that they moved.
func WithNotice(notice func(line string)) Option { return func(s *Store) { s.notice = notice } }

// OneToken is for a program that reads one token alone: key is its key, by what else is
// known of the profile. The other tokens are left out, and so are the credentials and
// claims of the accounts, whose decoding is most of reading a file. Such a store locks
// and writes nothing.
func OneToken(key func(Record) string) Option { return func(s *Store) { s.oneToken = key } }
