//go:build unix

package handshake

import (
	"os"

	"github.com/zen-auth/zen/internal/private"
)

// Closed says why others may enter a directory, or "". It has to be one: who owns a
// link isn't who owns what it leads to.
func Closed(dir string) string {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return "its directory can't be read"
	case !info.IsDir() || !private.Owned(info) || info.Mode().Perm() != 0o700:
		return "its directory is not yours, with mode 700"
	}
	return ""
}
