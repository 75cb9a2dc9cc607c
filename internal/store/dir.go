package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/private"
)

// checkDirs refuses directories in which others could put a file of theirs in the
// place of the credentials. Those that don't exist are fine.
func (s *Store) checkDirs() error {
	profiles := filepath.Join(s.dir, "profiles")
	info, err := os.Lstat(profiles)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return &provider.Error{Kind: provider.ErrConfig, Message: profiles + " is a symbolic link", Hint: "replace it by the directory itself"}
	case !info.IsDir():
		return &provider.Error{Kind: provider.ErrConfig, Message: profiles + " is not a directory", Hint: "move it away"}
	}
	return checkPrivateDir(profiles, info)
}

// makeDir creates the directories for their owner alone, and closes to others what
// they could look into.
func (s *Store) makeDir() error {
	if err := s.checkDirs(); err != nil {
		return err
	}
	profiles := filepath.Join(s.dir, "profiles")
	err := os.MkdirAll(profiles, 0o700)
	if err == nil {
		err = os.Chmod(profiles, 0o700)
	}
	if err != nil {
		return &provider.Error{
			Message: "create state directory: " + err.Error(), Err: err,
			Hint: "choose another place with ZEN_STATE_DIR; with ZEN_STORAGE=none zen needs none",
		}
	}
	return nil
}

// checkLockFile wants a regular file, or none.
func checkLockFile(path string) error {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("lock file %s is a %s", path, private.Kind(info.Mode())), Hint: "move it away",
		}
	}
	return nil
}
