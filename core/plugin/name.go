package plugin

import (
	"runtime"
	"strings"
)

// prefix begins the name of every provider's binary.
const prefix = "zen-provider-"

// isName reports whether name may become part of a path: it is of
// [a-z0-9][a-z0-9-]{0,31}. (A name with a separator in it made age run another
// binary: GHSA-32gq-x56h-299c.)
func isName(name string) bool {
	return name != "" && len(name) <= 32 && name[0] != '-' &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func binaryName(name string) string {
	if runtime.GOOS == "windows" {
		return prefix + name + ".exe"
	}
	return prefix + name
}

// providerName is the inverse of binaryName; ok is false for any other file.
func providerName(file string) (name string, ok bool) {
	if runtime.GOOS == "windows" {
		if file, ok = strings.CutSuffix(file, ".exe"); !ok {
			return "", false
		}
	}
	name, ok = strings.CutPrefix(file, prefix)
	return name, ok && isName(name)
}
