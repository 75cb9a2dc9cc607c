package app

import (
	"runtime/debug"
)

// BuildVersion is what the go command recorded.
func BuildVersion() (version, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			revision = s.Value[:12]
		}
	}
	return info.Main.Version, revision
}

// Version is the version of this program.
func Version() string { version, _ := BuildVersion(); return version }
