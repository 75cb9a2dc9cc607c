// Package random makes the ids, codes and tokens of the stack's issuers, and compares
// them.
package random

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// consonants are the letters of device codes, because they spell no words (RFC 8628,
// section 6.1).
const consonants = "BCDFGHJKLMNPQRSTVWXZ"

// String is n base62 characters.
func String(n int) string { return Of(base62, n) }

// UserCode returns a code for a device to show: eight letters and a hyphen.
func UserCode() string { return Of(consonants, 4) + "-" + Of(consonants, 4) }

// Of is n letters of an alphabet, each equally likely: bytes beyond its largest multiple
// are thrown away.
func Of(alphabet string, n int) string {
	limit := 256 / len(alphabet) * len(alphabet)
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		rand.Read(buf[:])
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// Hex returns that many random bytes, hexadecimal.
func Hex(bytes int) string {
	buf := make([]byte, bytes)
	rand.Read(buf)
	return hex.EncodeToString(buf)
}

// Same compares secrets in constant time.
func Same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
