package plugin

import (
	"regexp"
	"runtime"
	"strings"
)

// prefix begins the name of every provider's binary.
const prefix = "zen-provider-"

// names are what may become part of a path. (A name with a separator in it made
// age run another binary: GHSA-32gq-x56h-299c.)
var names = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

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
	return name, ok && names.MatchString(name)
}
