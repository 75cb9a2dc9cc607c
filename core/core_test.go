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

// A client uses the profiles of the configuration file that it was given.
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
		t.Errorf("Token without a sign-in: %v, want ErrNoCredential", err)
	}
	if _, err := client.Token(t.Context(), "none", 0); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("Token without a database: %v, want ErrConfig", err)
	}
	if _, err := client.Databases(t.Context()); !errors.Is(err, provider.ErrConfig) || provider.Hint(err) == "" {
		t.Errorf("Databases without a provider: %v, want ErrConfig with a hint", err)
	}
	if _, err := client.Open(t.Context(), core.Database{Profile: "nowhere"}); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("Open of an unknown profile: %v, want ErrConfig", err)
	}
	db, err := client.Open(t.Context(), core.Database{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if _, err := core.New(core.Options{ConfigFile: filepath.Join(dir, "missing.toml")}); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("New with a missing configuration file: %v, want ErrConfig", err)
	}
}
