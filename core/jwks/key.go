package jwks

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/zen-auth/zen/internal/jsonobject"
)

// Limits of a key set. Most issuers publish a handful of keys, those with a key for
// each application some hundred. maxTries and the largest RSA key bound what one
// verification may cost.
const (
	maxKeys    = 512
	maxTries   = 64
	minRSABits = 2048
	maxRSABits = 8192
)

// Key is one public key of a set.
type Key struct {
	// ID is the kid; it may be empty.
	ID string
	// Algorithm is the one that the set binds the key to; empty means any that fits.
	Algorithm string
	// Public is *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey.
	Public crypto.PublicKey
}

// Parse reads a JWK Set and returns the keys in it that can verify a signature:
// RSA of 2048 to 8192 bits, EC on P-256, P-384 or P-521, and Ed25519. Everything
// else is passed over, as RFC 7517 section 5 asks: unknown types, encryption keys,
// symmetric keys, and keys published with their private half. A byte-order mark and the
// padding of base64, which some issuers write against RFC 7517, are ignored.
func Parse(set []byte) ([]Key, error) {
	set = bytes.TrimPrefix(set, []byte("\ufeff"))
	o, err := jsonobject.Read(set)
	if err != nil {
		return nil, fmt.Errorf("parse key set: not %w", err)
	}
	return readKeys(o)
}

func readKeys(set jsonobject.Object) ([]Key, error) {
	published, ok := set.Raw("keys").Elements()
	if !ok {
		return nil, errors.New("parse key set: no array named keys")
	}
	if len(published) > maxKeys {
		return nil, fmt.Errorf("parse key set: %d keys, more than %d", len(published), maxKeys)
	}
	var keys []Key
	for _, one := range published {
		if key, ok := parseKey(one); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("parse key set: none of its %d keys is a usable public key", len(published))
	}
	return keys, nil
}

// jwk are the members of a key that count.
type jwk struct{ Type, ID, Use, Algorithm, Curve, N, E, X, Y string }

func parseKey(published jsonobject.Value) (Key, bool) {
	o, err := published.Object()
	if err != nil {
		return Key{}, false
	}
	k := jwk{}
	for _, member := range [...]struct {
		name string
		to   *string
	}{
		{"kty", &k.Type}, {"kid", &k.ID}, {"use", &k.Use}, {"alg", &k.Algorithm}, {"crv", &k.Curve}, {"n", &k.N}, {"e", &k.E}, {"x", &k.X}, {"y", &k.Y},
	} {
		if *member.to, err = requireText(o, member.name); err != nil {
			return Key{}, false
		}
	}
	if o.Has("d") || !signs(k.Use, o) { // the private half is published, too
		return Key{}, false
	}
	var public crypto.PublicKey
	switch k.Type {
	case "RSA":
		public = k.rsa()
	case "EC":
		public = k.ec()
	case "OKP":
		public = k.ed25519()
	}
	if public == nil || k.Algorithm != "" && !fits(k.Algorithm, public) {
		return Key{}, false
	}
	return Key{ID: k.ID, Algorithm: k.Algorithm, Public: public}, true
}

// signs reports whether the key is published for verifying signatures.
func signs(use string, o jsonobject.Object) bool {
	if use != "" && use != "sig" {
		return false
	}
	if !o.Has("key_ops") {
		return true
	}
	operations, ok := o.Value("key_ops").([]any)
	return ok && (len(operations) == 0 || slices.Contains(texts(operations), "verify"))
}

func (k jwk) rsa() crypto.PublicKey {
	n, e := decodeInt(k.N), decodeInt(k.E)
	if n == nil || n.BitLen() < minRSABits || n.BitLen() > maxRSABits || n.Bit(0) == 0 {
		return nil
	}
	// crypto/rsa takes exponents of 31 bits.
	if e == nil || e.BitLen() > 31 || e.Bit(0) == 0 || e.Int64() < 3 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}
}

func (k jwk) ec() crypto.PublicKey {
	var curve elliptic.Curve
	switch k.Curve {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil
	}
	x, y := decode(k.X), decode(k.Y)
	// RFC 7518 section 6.2.1.2: full size, leading zeros included.
	if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return nil
	}
	point := append(append([]byte{4}, x...), y...)
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil
	}
	return public
}

func (k jwk) ed25519() crypto.PublicKey {
	x := decode(k.X)
	if k.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
		return nil
	}
	return ed25519.PublicKey(x)
}

func decode(s string) []byte {
	encoding := base64.RawURLEncoding
	if len(s)%4 == 0 {
		encoding = base64.URLEncoding // also where nothing is padded
	}
	b, err := encoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

func decodeInt(s string) *big.Int {
	b := decode(s)
	if len(b) == 0 || len(b) > maxRSABits/8+1 {
		return nil
	}
	return new(big.Int).SetBytes(b)
}
