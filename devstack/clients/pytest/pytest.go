// Package pytest lets tests run Python programs.
package pytest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/zen-auth/zen/devstack/clients/npmtest"
)

// Install returns the Python of an environment with what a file of requirements names. It
// is made once for each state of that file, in the user's cache.
func Install(t *testing.T, file string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("make test-all runs third-party clients")
	}
	system, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3 is missing")
		}
		t.Skip("SKIPPED: python3 is missing, so the Python clients can't be tested.")
	}
	requirements, err := os.ReadFile(file)
	must(t, err)
	version, err := exec.CommandContext(t.Context(), system, "--version").Output()
	must(t, err)
	hash := sha256.Sum256(append(version, requirements...))
	dir := filepath.Join(npmtest.Cache(t), "python-"+hex.EncodeToString(hash[:8]))
	python := filepath.Join(dir, "bin", "python")
	lock := flock.New(dir + ".lock") // tests of several packages may need the same
	must(t, lock.Lock())
	defer lock.Unlock()
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return python
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for _, args := range [][]string{
		{system, "-m", "venv", dir},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", file},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
			}
			t.Skipf("SKIPPED: Python's clients can't be installed: %v\n%s", err, out)
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644))
	return python
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
