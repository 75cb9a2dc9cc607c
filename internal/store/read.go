package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/private"
)

// maxFileSize is far above what a few providers need.
const maxFileSize = 4 << 20

// contents is a credentials file as far as it can be read without its key.
type contents struct {
	file
	data []byte
}

// read reads the file of a profile. If there is none it is fs.ErrNotExist.
func (s *Store) read(profile string) (contents, error) {
	data, err := s.readPrivate(s.Path(profile))
	if errors.Is(err, errTooLarge) {
		return contents{}, s.unusable(provider.ErrConfig, profile, err)
	}
	if err != nil {
		return contents{}, fmt.Errorf("read credentials of profile %q: %w", profile, err)
	}
	f, err := parse(data, s.oneToken != nil)
	if err == nil && f.Profile != "" && f.Profile != profile {
		err = fmt.Errorf("it was copied from profile %.64q", f.Profile)
	}
	if err != nil {
		return contents{}, s.unusable(provider.ErrConfig, profile, err)
	}
	return contents{f, data}, nil
}

func (s *Store) readPrivate(path string) ([]byte, error) {
	if err := s.checkDirs(); err != nil {
		return nil, err
	}
	f, err := openPrivate(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := private.ReadAll(f, maxFileSize+1)
	if err == nil && len(data) > maxFileSize {
		err = errTooLarge
	}
	return data, err
}

var errTooLarge = errors.New("it is larger than 4 MiB")

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// open returns the record in a file, for which a sealed one needs its key.
func (s *Store) open(ctx context.Context, profile string, c contents) (Record, error) {
	if c.storage() == StorageFile {
		return s.recordOf(profile, c.file)
	}
	key, err := s.keys.get(ctx, s.keyring, keyItem(profile, c.Key))
	if errors.Is(err, ErrNoItem) {
		return Record{}, s.unusable(provider.ErrNoCredential, profile, errors.New("it is sealed, and its key is not in this keyring"))
	}
	if err != nil {
		return Record{}, locked{fmt.Errorf("read credentials of profile %q: %w", profile, err)}
	}
	inner, err := c.unseal(profile, key, s.oneToken != nil)
	if err != nil {
		return Record{}, s.unusable(provider.ErrConfig, profile, err)
	}
	return s.recordOf(profile, inner)
}

// recordOf returns the record of a file that was opened, with the one token that is wanted where
// that is said.
func (s *Store) recordOf(profile string, f file) (Record, error) {
	r := f.record()
	if s.oneToken == nil {
		return r, nil
	}
	key := s.oneToken(r)
	token, err := f.findToken(key)
	if err != nil {
		return Record{}, s.unusable(provider.ErrConfig, profile, damaged([]byte(f.undecoded)))
	}
	if token != nil {
		r.Tokens[key] = token.token()
	}
	return r, nil
}

// ErrUnreadable says that the file is damaged or can't be decrypted, because the keyring doesn't
// answer or has no key for it. [Store.Delete] works without reading it.
var ErrUnreadable = errors.New("unreadable")

// locked is a keyring's error: the file may be readable later.
type locked struct{ error }

func (e locked) Unwrap() []error { return []error{e.error, ErrUnreadable} }

// errUnusable: neither waiting nor chmod makes the file readable. A login sets it aside.
var errUnusable error = unusable{}

// unusable is a type of its own, since a call of fmt at every start takes a fiftieth of zen
// token.
type unusable struct{}

func (unusable) Error() string { return "unusable: " + ErrUnreadable.Error() }
func (unusable) Unwrap() error { return ErrUnreadable }

func (s *Store) unusable(kind error, profile string, why error) error {
	return &provider.Error{
		Kind:    kind,
		Message: fmt.Sprintf("credentials file %s can't be used: %v", s.Path(profile), why),
		Hint:    names.LoginCommand(profile) + " sets it aside and begins anew; until then zen leaves it as it is",
		Err:     errUnusable,
	}
}
