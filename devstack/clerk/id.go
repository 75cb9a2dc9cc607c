package clerk

import (
	"crypto/rand"
	"encoding/hex"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID makes an id as Clerk's look: a prefix and 27 base62 characters.
func newID(prefix string) string { return prefix + "_" + randomString(27) }

// randomString returns n random base62 characters. Bytes from 248 up are thrown
// away, so that every character is equally likely.
func randomString(n int) string {
	const limit = 256 / len(base62) * len(base62)
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		rand.Read(buf[:])
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, base62[int(b)%len(base62)])
			}
		}
	}
	return string(out)
}

// newJTI makes the 20 hexadecimal digits of a token's jti.
func newJTI() string {
	var buf [10]byte
	rand.Read(buf[:])
	return hex.EncodeToString(buf[:])
}

// newCode makes a six-digit one-time code.
func newCode() string {
	const digits = "0123456789"
	out := make([]byte, 0, 6)
	var buf [16]byte
	for len(out) < 6 {
		rand.Read(buf[:])
		for _, b := range buf {
			if b < 250 && len(out) < 6 {
				out = append(out, digits[b%10])
			}
		}
	}
	return string(out)
}
