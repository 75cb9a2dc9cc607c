package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
	"slices"
	"strings"
)

// Algorithms lists the JWS algorithms (RFC 7518, RFC 8037) that a Policy may
// allow. All are asymmetric: with HS256 in the list, an issuer's public key would
// do as the secret.
func Algorithms() []string {
	return slices.Concat(rsaAlgorithms[:], []string{"ES256", "ES384", "ES512", "EdDSA"})
}

var rsaAlgorithms = [...]string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}

// intended reports whether a key that is published for one algorithm, or for none in
// particular, may verify another. Auth0 publishes its one key for RS256, and signs with
// it by PS256, too, where an API wants that; a Policy has to allow it all the same.
func intended(published, alg string) bool {
	return published == "" || published == alg || published == "RS256" && alg == "PS256"
}

// fits reports whether alg can be used with key, so that a token can't choose to
// have a key read as one of another kind.
func fits(alg string, key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return slices.Contains(rsaAlgorithms[:], alg)
	case *ecdsa.PublicKey:
		// RFC 7518 section 3.4 ties each algorithm to one curve.
		switch key.Curve.Params().BitSize {
		case 256:
			return alg == "ES256"
		case 384:
			return alg == "ES384"
		case 521:
			return alg == "ES512"
		}
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

// signed reports whether sig is key's signature of text by alg, which fits the key
// (RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1).
//
// The packages that make and read whole JWTs do this, too, and link crypto/x509 and
// net for it: that is a tenth of what zen token takes.
func signed(alg, text string, sig []byte, key crypto.PublicKey) bool {
	hash, sum := digest(alg, text)
	switch key := key.(type) {
	case *rsa.PublicKey:
		if strings.HasPrefix(alg, "PS") {
			return rsa.VerifyPSS(key, hash, sum, sig, nil) == nil // a salt of any length
		}
		return rsa.VerifyPKCS1v15(key, hash, sum, sig) == nil
	case *ecdsa.PublicKey:
		// Both numbers in full, one after the other: not ASN.1.
		size := (key.Curve.Params().BitSize + 7) / 8
		if len(sig) != 2*size {
			return false
		}
		return ecdsa.Verify(key, sum, new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:]))
	case ed25519.PublicKey:
		return ed25519.Verify(key, []byte(text), sig)
	}
	return false
}

// digest is the hash that alg names by its last digits. EdDSA signs the text itself.
func digest(alg, text string) (crypto.Hash, []byte) {
	switch {
	case strings.HasSuffix(alg, "256"):
		sum := sha256.Sum256([]byte(text))
		return crypto.SHA256, sum[:]
	case strings.HasSuffix(alg, "384"):
		sum := sha512.Sum384([]byte(text))
		return crypto.SHA384, sum[:]
	case strings.HasSuffix(alg, "512"):
		sum := sha512.Sum512([]byte(text))
		return crypto.SHA512, sum[:]
	}
	return 0, nil
}
