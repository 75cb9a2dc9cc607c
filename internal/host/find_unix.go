//go:build unix

package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/private"
)

// unsafe says why a binary may not run, or "".
func unsafe(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return "it is not a regular file"
	case mode.Perm()&0o111 == 0:
		return "it is not executable"
	}
	if err := private.Trusted.CheckInfo(info); err != nil {
		return err.Error()
	}
	return ""
}

// unsafeDir says why what is in dir may not run: another user could put another
// file in its place. With the sticky bit they can't.
func unsafeDir(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return "its directory can't be read"
	}
	rule := private.Trusted
	if info.Mode()&fs.ModeSticky != 0 {
		rule.Closed = 0
	}
	var fault *private.Fault
	switch err := rule.CheckInfo(info); {
	case errors.As(err, &fault) && fault.Foreign:
		return "its directory belongs to another user"
	case err != nil:
		return "others may write to its directory"
	}
	return ""
}

// reachable says why a socket may be another's, or be reached by others, or "".
func reachable(socket string) string {
	info, err := os.Lstat(socket)
	switch {
	case err != nil:
		return "it can't be read"
	case info.Mode()&fs.ModeSocket == 0:
		return "it is not a socket"
	case !private.Owned(info):
		return "it is not yours"
	}
	return handshake.Closed(filepath.Dir(socket))
}
