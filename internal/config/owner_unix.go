//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedByUser reports whether a file is the user's own or root's.
func ownedByUser(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid()
}
