// Command zen-provider-statictoken hands out a database token that somebody was given. It
// reads and guards it like every other one, and tells in time when it ends.
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
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
