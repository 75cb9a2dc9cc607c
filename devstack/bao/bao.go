// Package bao runs OpenBao's own server, bao, on the loopback: for zen dev --team and for
// tests of what runs inside it. It doesn't include bao: [Find] looks for one.
package bao

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNotFound says that there is no bao on this machine.
var ErrNotFound = errors.New("bao, OpenBao's server, was not found")

// Variable names the variable that has the path of a bao.
const Variable = "ZEN_TEST_BAO"

// Find returns the path of bao: the one that [Variable] names, the one on the PATH,
// or the one that scripts/install-test-tools.sh puts into the user's cache.
func Find() (string, error) {
	if path := os.Getenv(Variable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%w: %s is %s", ErrNotFound, Variable, path)
		}
		return path, nil
	}
	if path, err := exec.LookPath("bao"); err == nil {
		return path, nil
	}
	if dir, err := cacheDir(); err == nil {
		path := filepath.Join(dir, "zen-test-tools", "bao")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", ErrNotFound
}

// cacheDir returns a directory that a shell script can also find, on every system.
func cacheDir() (string, error) {
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".cache"), err
}
