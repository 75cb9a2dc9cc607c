//go:build unix

package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/zen-auth/zen/internal/handshake"
)

// unsafe says why a binary may not run, or "".
func unsafe(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return "it is not a regular file"
	case mode.Perm()&0o111 == 0:
		return "it is not executable"
	case mode.Perm()&0o022 != 0:
		return "others may write to it"
	}
	return foreign(info)
}

// unsafeDir says why what is in dir may not run: somebody else could put another
// file in its place. With the sticky bit they can't.
func unsafeDir(dir string) string {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return "its directory can't be read"
	case info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0:
		return "others may write to its directory"
	}
	if foreign(info) != "" {
		return "its directory belongs to somebody else"
	}
	return ""
}

// foreign says that info is of somebody else than this user and root, or "".
func foreign(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid() {
		return ""
	}
	return fmt.Sprintf("it belongs to user %d", stat.Uid)
}

// reachable says why a socket may be another's, or be reached by others, or "".
func reachable(socket string) string {
	info, err := os.Lstat(socket)
	switch {
	case err != nil:
		return "it can't be read"
	case info.Mode()&fs.ModeSocket == 0:
		return "it is not a socket"
	case !handshake.IsOwner(info):
		return "it is not yours"
	}
	return handshake.Closed(filepath.Dir(socket))
}
