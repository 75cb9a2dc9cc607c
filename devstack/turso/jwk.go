package turso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// publicKey is a key of a JWK set (RFC 7517) that tokens can be verified with.
type publicKey struct {
	kid string // may be empty
	alg string // RS256, ES256 or EdDSA
	key any
}

func (k publicKey) equal(other publicKey) bool {
	key, ok := k.key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.kid == other.kid && key.Equal(other.key)
}

// parseKeySet returns the usable keys of a JWK set. Keys of other kinds, for other
// uses, or with private parts are left out: a set may hold any of them.
func parseKeySet(data []byte) ([]publicKey, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("parse key set: %w", err)
	}
	if set.Keys == nil {
		return nil, errors.New("parse key set: no member \"keys\"")
	}
	var keys []publicKey
	for _, k := range set.Keys {
		if key, err := k.public(); err == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

type jwk struct {
	Type    string `json:"kty"`
	Use     string `json:"use"`
	ID      string `json:"kid"`
	Alg     string `json:"alg"`
	Curve   string `json:"crv"`
	N       b64    `json:"n"`
	E       b64    `json:"e"`
	X       b64    `json:"x"`
	Y       b64    `json:"y"`
	Private any    `json:"d"`
}

var errUnusableKey = errors.New("key of no use")

// maxModulus bounds RSA keys, in bytes: verifying with a huge one takes long.
const maxModulus = 1024

func (k jwk) public() (publicKey, error) {
	if k.Private != nil || k.Use != "" && k.Use != "sig" {
		return publicKey{}, errUnusableKey
	}
	pub := publicKey{kid: k.ID}
	switch {
	case k.Type == "RSA" && len(k.N) >= 256 && len(k.N) <= maxModulus && len(k.E) > 0 && len(k.E) <= 4:
		e := int(new(big.Int).SetBytes(k.E).Int64())
		pub.alg, pub.key = "RS256", &rsa.PublicKey{N: new(big.Int).SetBytes(k.N), E: e}
	case k.Type == "EC" && k.Curve == "P-256" && len(k.X) == 32 && len(k.Y) == 32:
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, k.X...), k.Y...))
		if err != nil {
			return publicKey{}, errUnusableKey
		}
		pub.alg, pub.key = "ES256", key
	case k.Type == "OKP" && k.Curve == "Ed25519" && len(k.X) == ed25519.PublicKeySize:
		pub.alg, pub.key = "EdDSA", ed25519.PublicKey(k.X)
	default:
		return publicKey{}, errUnusableKey
	}
	if k.Alg != "" && k.Alg != pub.alg {
		return publicKey{}, errUnusableKey
	}
	return pub, nil
}

// b64 is a member that is base64url without padding. One that is not decodes as
// empty, which makes its key unusable and leaves the others alone.
type b64 []byte

func (b *b64) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) != nil {
		return nil
	}
	*b, _ = base64.RawURLEncoding.DecodeString(s)
	return nil
}
