package keyset

import (
	"os"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/internal/private"
)

// load reads the set from the disk; nil is none.
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
	if file, err := private.Open(path, private.Rule{}); err == nil {
		_ = file.Close()
	} else {
		// Replacing a file keeps its mode.
		_ = os.Remove(path)
	}
	return maybe.WriteFile(path, content, 0o600)
}
