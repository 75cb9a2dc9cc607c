package plugin

import (
	"os"
	"runtime"
)

// maxSocketDir leaves room in the 104 bytes that macOS has for the path of a
// socket (Linux has 108) for the name that go-plugin gives it.
const maxSocketDir = 104 - len("/plugin1234567890") - 1

// newSocketDir makes a directory that only this user can enter, for the socket of
// one provider; it is also its working directory. A path that is too long would
// fail later, with an error about something else (hashicorp/terraform#32787).
func newSocketDir() (string, error) {
	parent := os.TempDir()
	if runtime.GOOS != "windows" && len(parent)+len("/zen-1234567890") > maxSocketDir {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "zen-") // 0700
}
