// Package serve runs a plugin under OpenBao or Vault.
package serve

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/plugin"
)

// release is set by the linker: -X …/openbao/internal/serve.release=v1.2.3.
var release string

// A version under which a server may register a plugin. Go's pseudo-version for a build
// from a checkout isn't one: a server refuses a plugin that is registered with another
// version.
var released = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

// Version returns the plugin's version as reported to the server, or "".
func Version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && released.MatchString(info.Main.Version) {
		return info.Main.Version
	}
	return ""
}

// Main serves the backends of one plugin until the server ends the process. All mounts
// share the process, each with a backend of its own. It uses go-plugin over a Unix
// socket, with mutual TLS: there is no other access.
func Main(factory logical.Factory) {
	err := plugin.ServeMultiplex(&plugin.ServeOpts{
		BackendFactoryFunc: func(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
			return factory(ctx, config)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: os.Stderr, JSONFormat: true}),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
