//go:build unix

package handshake

import (
	"io/fs"
	"os"
	"syscall"
)

// Closed says why others may enter a directory, or "". It has to be one: who owns a
// link isn't who owns what it leads to.
func Closed(dir string) string {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return "its directory can't be read"
	case !info.IsDir() || !IsOwn(info):
		return "its directory is not yours, with mode 700"
	}
	return ""
}

// IsOwn reports whether a directory is this user's, and closed to others.
func IsOwn(info fs.FileInfo) bool {
	return IsOwner(info) && info.Mode().Perm() == 0o700
}

// IsOwner reports whether a file is this user's.
func IsOwner(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
