package core_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/provider"
)

// A program names a configuration, and has the profiles of that.
func TestClient(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ZEN_STATE_DIR", dir)
	t.Setenv("ZEN_STORAGE", "file")
	file := filepath.Join(dir, "zen.toml")
	if err := os.WriteFile(file, []byte("[profiles.default]\ndatabase = \"libsql://db.example\"\n[profiles.none]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := core.New(core.Options{ConfigFile: file, ProviderDirs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := client.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if _, err := client.Token(t.Context(), "", 0); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("a token without a sign-in: %v", err)
	}
	if _, err := client.Token(t.Context(), "none", 0); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("a token without a database: %v", err)
	}
	if _, err := client.Databases(t.Context()); !errors.Is(err, provider.ErrConfig) || provider.Hint(err) == "" {
		t.Errorf("databases without a provider: %v", err)
	}
	if _, err := client.Open(t.Context(), core.Database{Profile: "nowhere"}); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("an unknown profile: %v", err)
	}
	db, err := client.Open(t.Context(), core.Database{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if _, err := core.New(core.Options{ConfigFile: filepath.Join(dir, "missing.toml")}); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("a configuration that isn't there: %v", err)
	}
}
