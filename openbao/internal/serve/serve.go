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

// A version that a server may know a plugin by. What Go makes up for a build from a
// checkout isn't one: a plugin that is registered with another is refused.
var released = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

// Version returns the plugin's version as the server is told it, or "".
func Version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && released.MatchString(info.Main.Version) {
		return info.Main.Version
	}
	return ""
}

// Main serves the backends of one plugin until the server ends the process. All
// mounts share the process, each with a backend of its own. It speaks go-plugin
// over a Unix socket, with certificates of both sides' own: there is no other door.
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
