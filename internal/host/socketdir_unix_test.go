//go:build unix

package host

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A host that is killed leaves its directories behind.
func TestPitfall10DirectoriesOfDeadHostsAreSwept(t *testing.T) {
	target, parent := t.TempDir(), shortDir(t)
	t.Setenv("TMPDIR", parent)
	used, err := newSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	defer used.remove()
	dead, err := newSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.mark.Close() // as the end of the process does
	put(t, 0o600, dead.path, "plugin123")
	shared := filepath.Join(parent, socketDirPrefix+"shared")
	for _, dir := range []string{shared, filepath.Join(parent, "zen-else")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(target, filepath.Join(parent, socketDirPrefix+"link")); err != nil {
		t.Fatal(err)
	}
	left := func() (n int) {
		entries, err := os.ReadDir(parent)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if sweep(t.Context(), parent, time.Now()); left() != 5 {
		t.Errorf("a directory that may be new was swept: %d left", left())
	}
	if sweep(t.Context(), parent, time.Now().Add(2*newborn)); left() != 4 {
		t.Errorf("%d left", left())
	}
	if _, err := os.Stat(dead.path); err == nil {
		t.Error("the dead one is still there")
	}
}

// Nothing is there to connect to, or to be left behind, once zen is connected.
func TestPitfall10TheSocketIsGoneOnceConnected(t *testing.T) {
	client := open(t, manage(t, Options{}, "good"), "good")
	err := filepath.WalkDir(ask(t, client, "cwd").ID, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			t.Errorf("there is %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	ask(t, client, "pid")
}
