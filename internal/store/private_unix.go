//go:build !windows

package store

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"

	"github.com/zen-auth/zen/core/provider"
)

// openPrivate opens a regular file that belongs to the user and that nobody else
// can read or write. Symbolic links are refused.
func openPrivate(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		// ELOOP of a symbolic link, ENXIO of a socket.
		if info, statErr := os.Lstat(path); statErr == nil && !info.Mode().IsRegular() {
			return nil, irregular(path, info.Mode())
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkPrivate(path, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func checkPrivate(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return irregular(path, info.Mode())
	case ok && int(stat.Uid) != os.Geteuid():
		return foreign(path, stat.Uid)
	case info.Mode().Perm()&0o077 != 0:
		return &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("%s is open to others (mode %04o)", path, info.Mode().Perm()),
			Hint:    "chmod 600 " + quoted(path),
		}
	}
	return nil
}

func irregular(path string, mode fs.FileMode) error {
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("%s is a %s, not a regular file", path, kindOf(mode)),
		Hint:    "put the file itself there, or move it away",
	}
}

func foreign(path string, owner uint32) error {
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("%s belongs to user %d, not to you", path, owner),
		Hint:    "run zen as that user, or choose another place with ZEN_STATE_DIR",
	}
}

// checkPrivateDir refuses a directory of somebody else's, and one that others may
// write to.
func checkPrivateDir(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case ok && int(stat.Uid) != os.Geteuid():
		return foreign(path, stat.Uid)
	case info.Mode().Perm()&0o022 != 0:
		return &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("others may write to %s (mode %04o)", path, info.Mode().Perm()),
			Hint:    "chmod 700 " + quoted(path),
		}
	}
	return nil
}

func writePrivate(path string, data []byte) error {
	return renameio.WriteFile(path, data, 0o600, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(0o600))
}
