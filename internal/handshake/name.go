package handshake

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// Prefix begins the name of every provider's binary.
const Prefix = "zen-provider-"

// IsName reports whether name may become part of a path: it is of
// [a-z0-9][a-z0-9-]{0,31}. (A name with a separator in it made age run another
// binary: GHSA-32gq-x56h-299c.)
func IsName(name string) bool {
	return name != "" && len(name) <= 32 && name[0] != '-' &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// BinaryName is the file name of the provider of that name.
func BinaryName(name string) string {
	if runtime.GOOS == "windows" {
		return Prefix + name + ".exe"
	}
	return Prefix + name
}

// ProviderName is the inverse of BinaryName, for names that a provider can have; ok is false for any other file.
func ProviderName(file string) (name string, ok bool) {
	if runtime.GOOS == "windows" {
		if file, ok = strings.CutSuffix(file, ".exe"); !ok {
			return "", false
		}
	}
	name, ok = strings.CutPrefix(file, Prefix)
	return name, ok && IsName(name)
}

// NameError is a name that no provider can have. It is provider.ErrNoProvider.
type NameError struct{ Name string }

// Error implements error.
func (e *NameError) Error() string {
	return fmt.Sprintf("provider name %.40q is not of lower-case letters, digits and dashes, at most 32", e.Name)
}

// Unwrap makes it provider.ErrNoProvider.
func (e *NameError) Unwrap() error { return &provider.Error{Kind: provider.ErrNoProvider} }
