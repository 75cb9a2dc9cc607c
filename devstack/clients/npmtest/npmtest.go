// Package npmtest lets tests run Node.js programs.
package npmtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Install returns a directory with the files of a folder and what its lock file names.
// It is installed once for each state of them, in the user's cache.
func Install(t *testing.T, folder string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("make test-all runs third-party clients")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing", tool)
		}
		t.Skipf("SKIPPED: %s is missing, so the JavaScript clients can't be tested. Install Node.js 20 or later.", tool)
	}
	hash := sha256.New()
	files := make(map[string][]byte)
	must(t, fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[name], err = os.ReadFile(filepath.Join(folder, name))
		hash.Write(files[name])
		return err
	}))
	cache := Cache(t)
	dir := filepath.Join(cache, filepath.Base(folder)+"-"+hex.EncodeToString(hash.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	tmp, err := os.MkdirTemp(cache, "npm-")
	must(t, err)
	defer os.RemoveAll(tmp)
	for name, b := range files {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(tmp, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(tmp, name), b, 0o644))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.Rename(tmp, dir); err != nil && !os.IsExist(err) {
		if _, gone := os.Stat(dir); gone != nil { // no other test was faster either
			t.Fatal(err)
		}
	}
	return dir
}

// Cache returns the directory that keeps third-party programs between test runs.
func Cache(t *testing.T) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = t.TempDir()
	}
	dir = filepath.Join(dir, "zen-test")
	must(t, os.MkdirAll(dir, 0o755))
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
