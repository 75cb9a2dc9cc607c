package install

import (
	"context"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
)

// A running provider is only replaced after it has ended.
func TestInstallOverARunningProvider(t *testing.T) {
	s, dir := newStore(t), t.TempDir()
	install := func(version string) error {
		write(t, program(t, version), dir, acme)
		_, err := s.Install(t.Context(), Request{Source: dir})
		return err
	}
	if err := install("1.0.0"); err != nil {
		t.Fatal(err)
	}
	policy := &pin.Policy{Lock: s.Lock}
	m := host.NewManager(host.Options{Dirs: []string{s.Dir}, Trust: policy.Trust})
	if _, err := m.Describe(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	err := install("2.0.0")
	if err == nil || !strings.Contains(err.Error(), "no program that is running") || !strings.Contains(provider.Hint(err), "zen proxy") {
		t.Errorf("err = %v, hint %q", err, provider.Hint(err))
	}
	m.Close(context.Background())
	if err := install("2.0.0"); err != nil {
		t.Fatal(err)
	}
	s.runs(t, "2.0.0")
}
