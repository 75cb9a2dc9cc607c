package handshake

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
)

// Prefix begins the name of every provider's binary.
const Prefix = "zen-provider-"

// BinaryName returns the file name of the provider of that name.
func BinaryName(name string) string {
	if runtime.GOOS == "windows" {
		return Prefix + name + ".exe"
	}
	return Prefix + name
}

// ProviderName returns the inverse of BinaryName, for names that a provider can have; ok is
// false for any other file.
func ProviderName(file string) (name string, ok bool) {
	if runtime.GOOS == "windows" {
		if file, ok = strings.CutSuffix(file, ".exe"); !ok {
			return "", false
		}
	}
	name, ok = strings.CutPrefix(file, Prefix)
	return name, ok && names.IsProvider(name)
}

// NameError reports a name that no provider can have. It is provider.ErrNoProvider.
type NameError struct{ Name string }

// Error implements error.
func (e *NameError) Error() string {
	return fmt.Sprintf("provider name %.40q is not of lower-case letters and digits with single dashes between them, at most 32", e.Name)
}

// Unwrap makes it provider.ErrNoProvider.
func (e *NameError) Unwrap() error { return &provider.Error{Kind: provider.ErrNoProvider} }

// ImpossibleName returns the text that was given for a name: a secret, perhaps. It is for those
// that don't link this package.
func (e *NameError) ImpossibleName() string { return e.Name }
