package host

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/private"
)

// socketParents returns the places in which directories may be made for the sockets of providers, each
// of which is also the working directory of one, in order. A path that is too long would
// fail later, with an error about something else (hashicorp/terraform#32787).
func socketParents() []string {
	if runtime.GOOS == "windows" {
		return []string{os.TempDir()}
	}
	var parents []string
	for _, parent := range []string{os.TempDir(), os.Getenv("XDG_RUNTIME_DIR"), "/tmp"} {
		if filepath.IsAbs(parent) && len(parent)+len("/"+leftover.Prefix+"1234567890") <= handshake.MaxSocketDir && !slices.Contains(parents, parent) {
			parents = append(parents, parent)
		}
	}
	return parents
}

// MakeSocketDir makes a directory for a provider's socket where that is possible.
func MakeSocketDir() (*private.Dir, error) { return makeSocketDir(socketParents()) }

func makeSocketDir(parents []string) (*private.Dir, error) {
	var failed []error
	for _, parent := range parents {
		dir, err := private.MakeDir(parent, leftover.Prefix)
		if err == nil {
			return dir, nil
		}
		failed = append(failed, err)
	}
	return nil, &provider.Error{
		Kind:    provider.ErrConfig,
		Message: "no directory for a socket can be made in " + strings.Join(parents, " or "),
		Hint:    "name a directory in TMPDIR that can be written",
		Err:     errors.Join(failed...),
	}
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
