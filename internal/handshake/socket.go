package handshake

import (
	"io/fs"
	"os"
)

// IsSocket reports whether a socket is at path, which isn't followed.
func IsSocket(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSocket != 0
}
