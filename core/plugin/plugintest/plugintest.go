// Package plugintest tests providers without a process.
package plugintest

import (
	"testing"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
)

// Serve serves p over gRPC in memory until the test ends and returns a client of
// it, which sees p as zen does: what can't cross the wire is lost, a panic is an
// error, and a service that p doesn't implement is errors.ErrUnsupported. Configure
// it as zen would, once.
func Serve(t testing.TB, p provider.Provider) *plugin.Client {
	t.Helper()
	client, stop, err := plugin.Local(t.Context(), p)
	if err != nil {
		t.Fatalf("serve provider: %v", err)
	}
	t.Cleanup(stop)
	return client
}
