package clerk

import (
	"crypto/rand"
	"encoding/hex"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID makes an id as Clerk's look: a prefix and 27 base62 characters.
func newID(prefix string) string { return prefix + "_" + randomString(27) }

// randomString returns n random base62 characters.
func randomString(n int) string { return randomOf(base62, n) }

// randomOf returns n random letters of an alphabet, each equally likely: bytes
// beyond its largest multiple are thrown away.
func randomOf(alphabet string, n int) string {
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

// newJTI makes the 20 hexadecimal digits of a token's jti.
func newJTI() string { return randomHex(10) }

func randomHex(bytes int) string {
	buf := make([]byte, bytes)
	rand.Read(buf)
	return hex.EncodeToString(buf)
}

// newCode makes a six-digit one-time code.
func newCode() string { return randomOf("0123456789", 6) }
