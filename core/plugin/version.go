package plugin

import "runtime/debug"

// Version returns the program's version from its build information, for a provider's description:
// the tag or pseudo-version of its main module, or "(devel)".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
