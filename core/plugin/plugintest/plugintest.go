// Package plugintest tests providers, either as a value in the test's process or as the
// binary that zen starts.
package plugintest

import (
	"context"
	"io"
	"maps"
	"path/filepath"
	"testing"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
)

// Client sees a provider as zen does: what the protocol doesn't carry is lost, a panic is an
// error, and a method of a service that the provider doesn't implement fails with
// errors.ErrUnsupported. It implements every service of package provider, and is safe for
// concurrent use.
type Client struct{ *client }

// client keeps the name of the embedded type unexported.
type client = host.Client

// Serve serves p over gRPC in memory until the test ends, and returns a client of it. The
// caller configures it once, as zen would.
func Serve(t testing.TB, p provider.Provider) *Client {
	t.Helper()
	c, stop, err := host.Local(t.Context(), p, plugin.Logger())
	if err != nil {
		t.Fatalf("serve provider: %v", err)
	}
	t.Cleanup(stop)
	return &Client{c}
}

// Start starts the binary at path, whose name is zen-provider-NAME, as zen does: in an
// isolated process of its own, over mutual TLS. It is configured with settings, completed by
// the defaults in its description, and stopped at the end of the test. Its log and output are
// redacted and written to log; if log is nil, they are discarded.
func Start(t testing.TB, path string, settings provider.Settings, log io.Writer) *Client {
	t.Helper()
	name, ok := handshake.ProviderName(filepath.Base(path))
	if !ok {
		t.Fatalf("start %s: its name is not %s", path, handshake.BinaryName("NAME"))
	}
	m := host.NewManager(host.Options{Dirs: []string{filepath.Dir(path)}, Log: log})
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	description, err := m.Describe(t.Context(), name)
	if err != nil {
		t.Fatalf("start provider: %v", err)
	}
	all := make(provider.Settings)
	for _, field := range description.Fields {
		if field.Default != "" {
			all[field.Key] = provider.NewSecret(field.Default)
		}
	}
	maps.Copy(all, settings)
	c, err := m.Open(t.Context(), name, all)
	if err != nil {
		t.Fatalf("start provider: %v", err)
	}
	return &Client{c}
}
