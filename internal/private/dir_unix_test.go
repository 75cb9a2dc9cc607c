//go:build unix

package private

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The directories that a killed process left are removed.
func TestDirectoriesOfDeadProcessesAreSwept(t *testing.T) {
	target, parent := t.TempDir(), t.TempDir()
	const prefix = "zen-socket-"
	used, err := MakeDir(parent, prefix)
	if err != nil {
		t.Fatal(err)
	}
	defer used.Remove()
	dead, err := MakeDir(parent, prefix)
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.mark.Close() // as at the end of its process
	if err := os.WriteFile(filepath.Join(dead.Path, "plugin123"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(parent, prefix+"shared")
	for _, dir := range []string{shared, filepath.Join(parent, "zen-else")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(target, filepath.Join(parent, prefix+"link")); err != nil {
		t.Fatal(err)
	}
	left := func() (n int) {
		entries, err := os.ReadDir(parent)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if SweepDirs(t.Context(), parent, prefix, time.Now(), nil); left() != 5 {
		t.Errorf("a directory that may be new was removed: %d left", left())
	}
	if SweepDirs(t.Context(), parent, prefix, time.Now().Add(2*newborn), nil); left() != 4 {
		t.Errorf("%d left", left())
	}
	if _, err := os.Stat(dead.Path); err == nil {
		t.Error("the directory of the dead process was not removed")
	}
}
