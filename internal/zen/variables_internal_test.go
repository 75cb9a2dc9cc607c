package zen

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
)

// A provider gets variables of its own name, and others only after the user's consent, which
// is stored.
func TestForeignVariablesNeedConsent(t *testing.T) {
	dir := t.TempDir()
	cfg, err := config.Load(config.LoadOptions{WorkDir: dir, Environ: []string{
		"XDG_CONFIG_HOME=" + dir, "ZEN_STATE_DIR=" + dir,
		"AWS_SECRET_ACCESS_KEY=s3cret", "MY_VAULT_TOKEN=own",
	}})
	if err != nil {
		t.Fatal(err)
	}
	fields := []provider.Field{
		{Key: "key", Type: provider.TypeString, Sensitive: true, Env: []string{"AWS_SECRET_ACCESS_KEY", "NOT_SET"}},
		{Key: "token", Type: provider.TypeString, Sensitive: true, Env: []string{"MY_VAULT_TOKEN"}},
	}
	binary := host.Binary{Name: "my-vault", Path: "/data/zen-provider-my-vault", SHA256: "aa"}
	var asked []string
	var told []string
	answer := false
	newProcess := func(bundled map[string]string, asks bool) *Providers {
		p := &Providers{
			Pins:   &pin.Policy{Bundled: bundled, Lock: pin.NewLock(filepath.Join(dir, "zen.lock"))},
			config: cfg, notify: func(line string) { told = append(told, line) },
			binaries: map[string]host.Binary{"my-vault": binary},
		}
		if asks {
			p.ask = func(_ context.Context, _ host.Binary, names []string) (bool, error) {
				asked = append(asked, strings.Join(names, " "))
				return answer, nil
			}
		}
		return p
	}
	if err := newProcess(nil, false).Pins.Lock.Set(t.Context(), binary, pin.Pin{Source: "/dist", Known: pin.Local}); err != nil {
		t.Fatal(err)
	}
	got := func(p *Providers) string {
		t.Helper()
		permitted, err := p.permitted(t.Context(), "my-vault", fields)
		if err != nil {
			t.Fatal(err)
		}
		settings, err := cfg.Settings(permitted, "my-vault")
		if err != nil {
			t.Fatal(err)
		}
		return settings.Get("key") + "/" + settings.Get("token")
	}
	p := newProcess(nil, false)
	for range 2 {
		if settings := got(p); settings != "/own" {
			t.Errorf("without a question the provider gets %q", settings)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], "zen provider trust --env AWS_SECRET_ACCESS_KEY my-vault") || strings.Contains(told[0], "s3cret") {
		t.Errorf("notices %q", told)
	}
	if settings := got(newProcess(nil, true)); settings != "/own" || len(asked) != 1 || asked[0] != "AWS_SECRET_ACCESS_KEY" {
		t.Errorf("after a refusal the provider gets %q, asked %q", settings, asked)
	}
	answer = true
	for range 2 {
		if settings := got(newProcess(nil, true)); settings != "s3cret/own" {
			t.Errorf("after consent the provider gets %q", settings)
		}
	}
	if len(asked) != 2 {
		t.Errorf("questions %q, want consent to be stored", asked)
	}
	binary.SHA256 = "bb" // consent was for the first binary
	if err := newProcess(nil, false).Pins.Lock.Set(t.Context(), binary, pin.Pin{Source: "/dist", Known: pin.Local}); err != nil {
		t.Fatal(err)
	}
	if settings := got(newProcess(nil, false)); settings != "/own" {
		t.Errorf("another binary gets %q", settings)
	}
	if settings := got(newProcess(map[string]string{"my-vault": "bb"}, false)); settings != "s3cret/own" {
		t.Errorf("a bundled provider gets %q", settings)
	}
}
