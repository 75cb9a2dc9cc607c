package host

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// If TMPDIR can't be written, XDG_RUNTIME_DIR is tried; if that fails, too, the error names
// TMPDIR.
func TestSocketDirWithoutTemporaryFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no TMPDIR")
	}
	runtimeDir, err := os.MkdirTemp("/tmp", "zen-run-") // short, since a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtimeDir) })
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
	dir, err := MakeSocketDir()
	if err != nil || filepath.Dir(dir.Path) != runtimeDir {
		t.Fatalf("MakeSocketDir = %v, %v, want it in XDG_RUNTIME_DIR", dir, err)
	}
	dir.Remove()
	if _, err := makeSocketDir([]string{missing}); !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), "TMPDIR") || !strings.Contains(err.Error(), missing) {
		t.Errorf("makeSocketDir: %v, hint %s, want ErrConfig that names TMPDIR", err, provider.Hint(err))
	}
}
