package config

import "strings"

// The forms of names. They are plain functions: four regular expressions took
// 0.7 ms of every start of the program.

const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digit = "0123456789"
)

// isName reports whether s has 1 to limit letters, begins with one of first and
// goes on with those of rest.
func isName(s string, limit int, first, rest string) bool {
	return s != "" && len(s) <= limit && strings.IndexByte(first, s[0]) >= 0 && strings.Trim(s, rest) == ""
}

// isProfileName: profiles name files in the state directory, where case may not
// matter.
func isProfileName(s string) bool { return isName(s, 63, lower+digit, lower+digit+"_-") }

// isProviderName: without "_", so that ZEN_<PROVIDER>__<KEY> reads one way only,
// and no longer than package plugin takes.
func isProviderName(s string) bool {
	return isName(s, 32, lower+digit, lower+digit+"-") && s[len(s)-1] != '-' && !strings.Contains(s, "--")
}

func isSettingKey(s string) bool { return isName(s, 63, lower, lower+digit+"_") }

// isDatabaseID takes a UUID, as Turso prints the ids of databases (RFC 9562, section 4).
func isDatabaseID(s string) bool {
	const hyphens = "\x08\x0d\x12\x17" // 8, 13, 18 and 23
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if hyphen := strings.IndexByte(hyphens, byte(i)) >= 0; hyphen != (s[i] == '-') || !hyphen && strings.IndexByte(digit+"abcdefABCDEF", s[i]) < 0 {
			return false
		}
	}
	return true
}
