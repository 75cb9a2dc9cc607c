package plugintest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/zen-auth/zen/internal/handshake"
)

// Self returns the path of this test binary as the binary of a provider, for Start. Its
// TestMain has to be the provider's main where os.Args[0] has that name.
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
	// Windows removes no name of a program that runs.
	data, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(path, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
