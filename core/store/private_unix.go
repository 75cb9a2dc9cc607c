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
		if isLoop(err) {
			return nil, &provider.Error{Kind: provider.ErrConfig, Message: path + " is a symbolic link", Hint: "replace it by the file itself"}
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
		return &provider.Error{Kind: provider.ErrConfig, Message: path + " is not a regular file"}
	case ok && int(stat.Uid) != os.Geteuid():
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("%s belongs to user %d, not to you", path, stat.Uid)}
	case info.Mode().Perm()&0o077 != 0:
		return &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("%s can be read by others (mode %04o)", path, info.Mode().Perm()),
			Hint:    "chmod 600 " + path,
		}
	}
	return nil
}

func isLoop(err error) bool {
	pathErr, ok := err.(*fs.PathError)
	return ok && pathErr.Err == syscall.ELOOP
}

func writePrivate(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := makePrivateDir(dir); err != nil {
		return err
	}
	return renameio.WriteFile(path, data, 0o600, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o600))
}
