package app

import (
	"runtime/debug"
	"strings"
	"time"
)

// Build is the go command's record of this program. What it didn't record
// is empty: a build outside of a checkout has no commit.
type Build struct {
	// Version is the module's: a tag, a pseudo-version, or "(devel)".
	Version string
	// Commit is the whole identifier of the revision, and Time when it was made.
	Commit string
	Time   time.Time
	// Modified is true if the checkout had changes of its own.
	Modified bool
	// Tags are the build tags.
	Tags []string
}

// BuildInfo reads what is recorded in this program.
func BuildInfo() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Build{Version: "unknown"}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) Build {
	b := Build{Version: info.Main.Version, Tags: []string{}}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time, _ = time.Parse(time.RFC3339, s.Value) // what isn't a time stays none
		case "vcs.modified":
			b.Modified = s.Value == "true"
		case "-tags":
			b.Tags = strings.FieldsFunc(s.Value, func(r rune) bool { return r == ',' })
		}
	}
	return b
}

// Version returns the version of this program.
func Version() string { return BuildInfo().Version }
