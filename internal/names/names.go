// Package names says what a profile, a provider and a setting may be called. They become
// parts of paths, of variables and of each other, so that one rule holds wherever a name
// comes in: the configuration, a file's name, a description, the command line.
package names

import "strings"

// is reports whether s has 1 to limit lower-case letters and digits, and behind the first one
// also those of more; digit says whether the first may be a digit. It is a plain function, as
// a large configuration has thousands of names: four regular expressions took 0.7 ms of
// every start of the program.
func is(s string, limit int, digit bool, more string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
		case c >= '0' && c <= '9' && (i > 0 || digit):
		case i > 0 && strings.IndexByte(more, c) >= 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// IsProfile reports whether a profile may be called s: up to 63 lower-case letters,
// digits, "-" and "_". Profiles name files, where case may not matter.
func IsProfile(s string) bool { return is(s, 63, true, "_-") }

// IsProvider reports whether a provider may be called s: up to 32 lower-case letters and
// digits, with single dashes between them. ZEN_<PROVIDER>__<KEY> reads one way only, and
// a name with a separator in it would lead to another binary (GHSA-32gq-x56h-299c, of
// age).
func IsProvider(s string) bool {
	return is(s, 32, true, "-") && s[len(s)-1] != '-' && !strings.Contains(s, "--")
}

// IsOwnVariable reports whether a variable of the environment is of a provider's own
// family: its name in capitals, an underscore for each dash, and one behind it.
func IsOwnVariable(provider, variable string) bool {
	return strings.HasPrefix(variable, strings.ToUpper(strings.ReplaceAll(provider, "-", "_"))+"_")
}

// IsSetting reports whether a provider's setting may be called s: up to 63 lower-case
// letters, digits and "_", a letter first.
func IsSetting(s string) bool { return is(s, 63, false, "_") }

// LoginCommand returns the command that signs in to a profile, for hints.
func LoginCommand(profile string) string {
	if profile == "default" {
		return "zen login"
	}
	return "zen login --profile " + profile
}
