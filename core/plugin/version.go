package plugin

import "runtime/debug"

// Version is what the program's build says its version is, for a provider's description:
// the tag or pseudo-version of its main module, or "(devel)".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
