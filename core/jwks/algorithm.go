package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"slices"
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
