package store

import (
	"fmt"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
)

// checkName wants a name that is a file's, and no path.
func checkName(profile string) error {
	if names.IsProfile(profile) {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("profile name %q is not valid", profile),
		Hint:    "names are up to 63 lower-case letters, digits, - and _",
	}
}
