package config

import "strings"

const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digit = "0123456789"
)

// isDatabaseID takes a UUID, as Turso prints the ids of databases (RFC 9562, section 4).
// It is a plain function: regular expressions are compiled at every start of the program.
func isDatabaseID(s string) bool {
	const hyphens = "\x08\x0d\x12\x17" // 8, 13, 18 and 23
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		hyphen := strings.IndexByte(hyphens, byte(i)) >= 0
		if hyphen != (s[i] == '-') || !hyphen && strings.IndexByte(digit+"abcdefABCDEF", s[i]) < 0 {
			return false
		}
	}
	return true
}
