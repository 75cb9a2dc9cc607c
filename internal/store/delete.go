package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// List names the profiles that something is stored of, sorted. It opens no file.
func (s *Store) List() ([]string, error) {
	if s.memory != nil {
		return nil, nil
	}
	dir := filepath.Join(s.dir, "profiles")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = s.checkDirs()
	}
	if err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".json"); ok && checkName(name) == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// Delete forgets what is stored of a profile, under its lock: the credentials, also those
// that were set aside, their key in the keyring, the metadata, and what failed. It opens
// none of them, so that a profile that can't be read can be deleted. Where the keyring
// doesn't answer, a notice says that a key was left in it, which opens nothing any more.
func (s *Store) Delete(ctx context.Context, profile string) error {
	if err := checkName(profile); err != nil {
		return err
	}
	if s.memory != nil {
		return s.memory.lock(ctx, s, profile, func(l *Locked) error {
			l.Record = emptyRecord()
			return l.Save()
		})
	}
	err := s.locked(ctx, profile, func() error {
		c, err := s.read(profile)
		s.sweep(profile)
		s.removeAside(profile)
		for _, path := range []string{s.Path(profile), s.metaPath(profile), s.failurePath(profile)} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err == nil && c.storage() == StorageKeyring {
			s.forgetKey(ctx, profile, c.Key)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget profile %q: %w", profile, err)
	}
	return nil
}
