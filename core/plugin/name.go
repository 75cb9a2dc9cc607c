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

// BinaryName is the file name of the provider of that name.
func BinaryName(name string) string {
	if runtime.GOOS == "windows" {
		return prefix + name + ".exe"
	}
	return prefix + name
}

// ProviderName is the inverse of BinaryName, for names that a provider can have; ok is false for any other file.
func ProviderName(file string) (name string, ok bool) {
	if runtime.GOOS == "windows" {
		if file, ok = strings.CutSuffix(file, ".exe"); !ok {
			return "", false
		}
	}
	name, ok = strings.CutPrefix(file, prefix)
	return name, ok && isName(name)
}
