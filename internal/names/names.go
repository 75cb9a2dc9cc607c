// Package names says what a profile, a provider and a setting may be called. They become
// parts of paths, of variables and of each other, so that one rule holds wherever a name
// comes in: the configuration, a file's name, a description, the command line.
package names

import "strings"

// They are plain functions: four regular expressions took 0.7 ms of every start of the
// program.
const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	digit = "0123456789"
)

// Is reports whether s has 1 to limit letters, begins with one of first and goes on with
// those of rest.
func Is(s string, limit int, first, rest string) bool {
	return s != "" && len(s) <= limit && strings.IndexByte(first, s[0]) >= 0 && strings.Trim(s, rest) == ""
}

// IsProfile reports whether a profile may be called s: up to 63 lower-case letters,
// digits, "-" and "_". Profiles name files, where case may not matter.
func IsProfile(s string) bool { return Is(s, 63, lower+digit, lower+digit+"_-") }

// IsProvider reports whether a provider may be called s: up to 32 lower-case letters and
// digits, with single dashes between them. ZEN_<PROVIDER>__<KEY> reads one way only, and
// a name with a separator in it would lead to another binary (GHSA-32gq-x56h-299c, of
// age).
func IsProvider(s string) bool {
	return Is(s, 32, lower+digit, lower+digit+"-") && s[len(s)-1] != '-' && !strings.Contains(s, "--")
}

// IsOwnVariable reports whether a variable of the environment is of a provider's own
// family: its name in capitals, an underscore for each dash, and one behind it.
func IsOwnVariable(provider, variable string) bool {
	return strings.HasPrefix(variable, strings.ToUpper(strings.ReplaceAll(provider, "-", "_"))+"_")
}

// IsSetting reports whether a provider's setting may be called s: up to 63 lower-case
// letters, digits and "_", a letter first.
func IsSetting(s string) bool { return Is(s, 63, lower, lower+digit+"_") }

// LoginCommand returns the command that signs in to a profile, for hints.
func LoginCommand(profile string) string {
	if profile == "default" {
		return "zen login"
	}
	return "zen login --profile " + profile
}
