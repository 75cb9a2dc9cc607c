package jwks

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// signed agrees with golang-jwt about every signature.
func TestSigned(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private := map[string]crypto.Signer{"EdDSA": edKey}
	for _, alg := range rsaAlgorithms {
		private[alg] = rsaKey
	}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		if private[alg], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	const text = "eyJhbGciOiJub25lIn0.e30"
	for _, alg := range Algorithms() {
		sig, err := jwt.GetSigningMethod(alg).Sign(text, private[alg])
		if err != nil {
			t.Fatal(alg, err)
		}
		bad := [][]byte{
			nil, sig[1:], sig[:len(sig)-1], append(bytes.Clone(sig), 0), append([]byte{0}, sig...), make([]byte, len(sig)), bytes.Repeat([]byte{0xff}, len(sig)),
		}
		for i := 0; i < len(sig); i += 31 {
			flipped := bytes.Clone(sig)
			flipped[i] ^= 1
			bad = append(bad, flipped)
		}
		for _, other := range Algorithms() {
			method, key := jwt.GetSigningMethod(other), private[alg].Public()
			if !fits(other, key) {
				continue
			}
			if got, want := signed(other, text, sig, key), other == alg; got != want {
				t.Errorf("signed by %s, verified as %s: %t", alg, other, got)
			}
			if signed(other, text+"x", sig, key) {
				t.Errorf("%s: the signature verifies another text", other)
			}
			for _, sig := range bad {
				if got, want := signed(other, text, sig, key), method.Verify(text, sig, key) == nil; got || want {
					t.Errorf("%s: signature %x: %t, golang-jwt says %t", other, sig, got, want)
				}
			}
		}
	}
	// A PS256 signature may have a salt of any length, as in golang-jwt.
	for _, salt := range []int{0, 20, rsa.PSSSaltLengthEqualsHash, rsa.PSSSaltLengthAuto} {
		hash, sum := digest("PS256", text)
		sig, err := rsa.SignPSS(rand.Reader, rsaKey, hash, sum, &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		if !signed("PS256", text, sig, rsaKey.Public()) || jwt.SigningMethodPS256.Verify(text, sig, rsaKey.Public()) != nil {
			t.Errorf("a salt length of %d is refused", salt)
		}
	}
}
