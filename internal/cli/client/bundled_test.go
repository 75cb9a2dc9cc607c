package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
)

func TestCompareBundled(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{"absent": strings.Repeat("0", 64)}
	for _, name := range []string{"good", "edited"} {
		content := []byte(name)
		sum := sha256.Sum256(content)
		sums[name] = hex.EncodeToString(sum[:])
		if name == "edited" {
			content[0]++
		}
		if err := os.WriteFile(filepath.Join(dir, handshake.BinaryName(name)), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got := compareBundled(dir, sums)
	for i, want := range []struct{ name, state string }{{"absent", BundledMissing}, {"edited", BundledChanged}, {"good", BundledMatches}} {
		if got[i].Name != want.name || got[i].State != want.state {
			t.Errorf("compareBundled()[%d] = %+v, want %v", i, got[i], want)
		}
	}
	if err := VerifyBundled(got[2:]); err != nil {
		t.Error(err)
	}
	err = VerifyBundled(got)
	if !errors.Is(err, provider.ErrNoProvider) || !strings.Contains(err.Error(), "absent (missing), edited (changed)") {
		t.Error(err)
	}
	if err := VerifyBundled(nil); !errors.Is(err, provider.ErrNoProvider) {
		t.Errorf("VerifyBundled(nil) = %v, want ErrNoProvider", err)
	}
}
