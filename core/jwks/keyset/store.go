package keyset

import (
	"os"
	"path/filepath"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/internal/private"
)

// load reads the set from the disk; nil means none.
func (s *Set) load() *jwks.Set {
	if s.disk.Dir == "" {
		return nil
	}
	set, _ := s.disk.Load() // it can be had again
	return set
}

func (s *Set) store(set *jwks.Set) error {
	if s.disk.Dir == "" {
		return nil
	}
	content, err := set.Marshal()
	if err != nil {
		return err
	}
	path := s.disk.Path()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		_ = os.Remove(path)
	}
	return private.Replace(path, content, 0o600)
}
