package host

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/zen-auth/zen/internal/handshake"
)

// SocketDirPrefix begins the name of every socket directory.
const SocketDirPrefix = "zen-socket-"

// SocketParent is where the directories are made for the sockets of providers, each of
// which is also the working directory of one. A path that is too long would fail later,
// with an error about something else (hashicorp/terraform#32787).
func SocketParent() string {
	parent := os.TempDir()
	if runtime.GOOS != "windows" && len(parent)+len("/"+SocketDirPrefix+"1234567890") > handshake.MaxSocketDir {
		return "/tmp"
	}
	return parent
}

// removeSocket removes the socket in dir. It isn't needed once zen is connected, and what
// isn't there can't be left behind, nor be connected to.
func removeSocket(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if entry.Type()&os.ModeSocket != 0 {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}
