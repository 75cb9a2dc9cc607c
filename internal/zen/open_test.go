package zen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/testwait"
)

func TestIsName(t *testing.T) {
	for text, want := range map[string]bool{
		"app": true, "app-2": true, "": false, "App": false, "app.db": false, "libsql://app": false,
		"./app": false, ":memory:": false, "eyJhbGciOiJFZERTQSJ9": false,
	} {
		if IsName(text) != want {
			t.Errorf("IsName(%q) = %v", text, !want)
		}
	}
}

// newClient returns a client with two profiles, one with a database and one without.
func newClient(t *testing.T) *Client {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	content := "[profiles.default]\ndatabase = \"libsql://db.example\"\n[profiles.none]\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := New(Options{Config: config.LoadOptions{Environ: []string{"ZEN_CONFIG=" + file, "ZEN_STATE_DIR=" + dir, "ZEN_PROVIDER_DIR=" + dir}, WorkDir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return client
}

// A server that opens a database for each tenant must not leak the closed ones.
func TestOpenedDatabasesAreReleased(t *testing.T) {
	client := newClient(t)
	before := runtime.NumGoroutine()
	for range 10_000 {
		db, err := client.Open(t.Context(), "", libsql.Options{Target: provider.Target{URL: "libsql://tenant.example"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(client.sessions) != 1 {
			t.Fatalf("%d sessions for one handle", len(client.sessions))
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, bad := range map[string]struct {
		profile string
		how     libsql.Options
	}{
		"no database": {"none", libsql.Options{}}, "no mode": {"", libsql.Options{Mode: "telepathy"}},
		"no profile": {"nowhere", libsql.Options{}}, "no database's URL": {"", libsql.Options{Target: provider.Target{URL: "gopher://x"}}},
	} {
		if _, err := client.Open(t.Context(), bad.profile, bad.how); !errors.Is(err, provider.ErrConfig) {
			t.Errorf("%s: Open: %v, want ErrConfig", name, err)
		}
	}
	if n := len(client.sessions); n != 0 {
		t.Errorf("%d sessions were not released", n)
	}
	// database/sql ends its goroutine for a handle after Close has returned.
	testwait.Until(t, fmt.Sprintf("no more than %d goroutines", before+10), func() bool { return runtime.NumGoroutine() <= before+10 })
}
