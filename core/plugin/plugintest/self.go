package plugintest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/zen-auth/zen/internal/handshake"
)

// Self returns the path of this test binary under a provider's name, for Start. The binary's
// TestMain must run the provider's main function if os.Args[0] has that name.
func Self(t testing.TB, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), handshake.BinaryName(name))
	if runtime.GOOS != "windows" && os.Link(self, path) == nil {
		return path
	}
	// Windows can't delete a running program's file, even by another name.
	data, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(path, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
