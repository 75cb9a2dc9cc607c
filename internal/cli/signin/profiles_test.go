package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/zen"
)

// newClient returns a client of a home with two profiles, the environment of its commands,
// and their outputs.
func newClient(t *testing.T) (client *zen.Client, e *app.Env, out, told *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte("[profiles.work]\ndatabase = \"libsql://app-acme.turso.io\"\nprovider = \"clerk\"\n[profiles.reports]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := zen.New(zen.Options{Config: config.LoadOptions{
		Environ: []string{"ZEN_CONFIG=" + file, "ZEN_STATE_DIR=" + filepath.Join(dir, "state"), "ZEN_STORAGE=file"}, WorkDir: dir,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(context.Background()) })
	out, told = new(strings.Builder), new(strings.Builder)
	return client, &app.Env{In: strings.NewReader(""), Out: out, Err: told, Help: "zen profiles"}, out, told
}

func TestUse(t *testing.T) {
	client, e, out, told := newClient(t)
	if err := (UseOptions{Profile: "wrok"}).Run(t.Context(), e, client); !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), "did you mean work?") {
		t.Errorf("using an unknown profile: %v (%s)", err, provider.Hint(err))
	}
	e.JSON = true
	if err := (UseOptions{Profile: "work"}).Run(t.Context(), e, client); err != nil || !strings.Contains(out.String(), `"profile": "work"`) || !strings.Contains(told.String(), `"work" is in use from now on`) {
		t.Errorf("using a profile: %v: %s%s", err, out, told)
	}
	// The requested sign-in doesn't exist.
	if err := (UseOptions{Profile: "work", Provider: "auth0"}).Run(t.Context(), e, client); !errors.Is(err, provider.ErrNoCredential) {
		t.Error(err)
	}
	out.Reset()
	var d profilesDocument
	if err := listProfiles(e, client); err != nil || json.Unmarshal([]byte(out.String()), &d) != nil || len(d.Profiles) != 3 { // including the default profile
		t.Fatalf("%v: %s", err, out)
	}
	if p := d.Profiles[2]; p.Name != "work" || p.Provider != "clerk" || p.SignedIn || !p.Configured {
		t.Errorf("the listed profile is %+v", p)
	}
}

func TestDelete(t *testing.T) {
	client, e, _, told := newClient(t)
	if err := (DeleteOptions{Profile: "nowhere", Yes: true}).Run(t.Context(), e, client); !errors.Is(err, provider.ErrConfig) {
		t.Error(err)
	}
	if err := (DeleteOptions{Profile: "work", Yes: true}).Run(t.Context(), e, client); err != nil || !strings.Contains(told.String(), "Nothing is stored") {
		t.Errorf("deleting an empty profile: %v: %s", err, told)
	}
	// A stored sign-in isn't deleted without a confirmation.
	path := client.Store.Path("reports")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (DeleteOptions{Profile: "reports"}).Run(t.Context(), e, client); !errors.Is(err, app.ErrUsage) || provider.Hint(err) != "zen profiles delete --yes reports" {
		t.Errorf("deleting without --yes: %v (%s)", err, provider.Hint(err))
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestLoginRefuses(t *testing.T) {
	_, e, _, _ := newClient(t)
	if err := (LoginOptions{Timeout: -1}).Run(t.Context(), e); !errors.Is(err, app.ErrUsage) {
		t.Error(err)
	}
}

// If there are too many profiles to list quickly, listing fails with their number.
func TestTooManyProfilesToList(t *testing.T) {
	client, e, out, _ := newClient(t)
	dir := filepath.Dir(client.Store.Path("p"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range maxListed + 1 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("p%d.json", i)), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := listProfiles(e, client)
	if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), "there are 20004 profiles, and 20000 are listed") || out.Len() != 0 {
		t.Errorf("listing too many profiles: %v: %.200s", err, out)
	}
}
