package auth0

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// userCodeAlphabet is Auth0's base20 set: no vowels, so no words.
const userCodeAlphabet = "BCDFGHJKLMNPQRSTVWXZ"

func randomString(n int) string { return randomOf(base62, n) }

// randomOf returns n random letters of an alphabet, each equally likely.
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

func randomHex(bytes int) string {
	buf := make([]byte, bytes)
	rand.Read(buf)
	return hex.EncodeToString(buf)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
