// Command zen-provider-clerk signs in with Clerk (https://clerk.com) and makes
// tokens for libSQL databases from a JWT template that Turso verifies by JWKS.
//
// It is started by zen, not by people.
package main

import (
	"runtime/debug"

	"github.com/zen-auth/zen/core/plugin"
)

func main() { plugin.Serve(newProvider(version())) }

// version is the one of the module that the binary was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "(unknown)"
}
