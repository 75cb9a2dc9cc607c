package host

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
)

func put(t *testing.T, mode os.FileMode, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.WriteFile(file, nil, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return file
}

func TestFind(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	first, second := t.TempDir(), t.TempDir()
	put(t, 0o755, second, "zen-provider-both")
	want := put(t, 0o755, first, "zen-provider-both")
	put(t, 0o755, second, "zen-provider-bad")
	put(t, 0o775, first, "zen-provider-bad") // found first, and the second must not replace it
	put(t, 0o644, first, "zen-provider-data")
	put(t, 0o755, first, "zen-provider-UPPER")
	put(t, 0o755, first, "zen-provider-")
	put(t, 0o755, first, "other")
	if err := os.Mkdir(filepath.Join(first, "zen-provider-dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	target := put(t, 0o755, t.TempDir(), "elsewhere")
	if err := os.Symlink(target, filepath.Join(second, "zen-provider-link")); err != nil {
		t.Fatal(err)
	}
	loose := put(t, 0o757, t.TempDir(), "loose")
	if err := os.Symlink(loose, filepath.Join(second, "zen-provider-loose")); err != nil {
		t.Fatal(err)
	}

	m := NewManager(Options{Dirs: []string{first, filepath.Join(first, "absent"), second}})
	type row struct {
		Name string
		OK   bool
	}
	var rows []row
	for _, found := range m.List() {
		rows = append(rows, row{found.Name, found.Err == nil})
	}
	if diff := cmp.Diff([]row{
		{"bad", false}, {"both", true}, {"data", false}, {"dir", false}, {"link", true}, {"loose", false},
	}, rows); diff != "" {
		t.Error(diff)
	}

	dirs := []string{first, second}
	if got, err := find(dirs, "both"); got != want || err != nil {
		t.Errorf("both: %q, %v", got, err)
	}
	if got, err := find(dirs, "link"); got != target || err != nil {
		t.Errorf("link: %q, %v", got, err)
	}
	for _, name := range []string{"bad", "data", "dir", "loose"} {
		var unsafe *UnsafeError
		if _, err := find(dirs, name); !errors.As(err, &unsafe) || !errors.Is(err, provider.ErrNoProvider) {
			t.Errorf("find(%s): %v, want UnsafeError", name, err)
		}
	}
}

func TestFindIgnoresPathAndWorkingDirectory(t *testing.T) {
	dir := installed(t, "good")
	t.Setenv("PATH", dir)
	t.Chdir(dir)
	var missing *NotFoundError
	if _, err := find([]string{t.TempDir()}, "good"); !errors.As(err, &missing) {
		t.Errorf("find: %v, want NotFoundError", err)
	}
	if _, err := find(nil, "good"); !errors.As(err, &missing) {
		t.Errorf("without a directory: %v, want NotFoundError", err)
	}
}
