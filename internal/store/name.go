package store

import (
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// checkName wants a name that is a file's, and no path. It is no regular
// expression, because compiling one would be a good part of a warm zen token.
func checkName(profile string) error {
	good := profile != "" && len(profile) <= 64 && !strings.ContainsAny(profile[:1], "._-")
	for i := range len(profile) {
		c := profile[i]
		good = good && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-", c) >= 0)
	}
	if good {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("profile name %q is not valid", profile),
		Hint:    "use up to 64 letters, digits, dots, dashes and underscores, a letter or digit first",
	}
}

// loginCommand is what to run to sign in to the profile.
func loginCommand(profile string) string {
	if profile == "default" {
		return "zen login"
	}
	return "zen login --profile " + profile
}
