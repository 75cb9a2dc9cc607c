// Package jose signs the tokens of the stack's issuers and publishes their keys.
package jose

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// Key is a key pair and the name under which its public half is published.
type Key struct {
	ID      string // kid
	Private *rsa.PrivateKey
}

// NewKey makes an RSA-2048 key, which takes a tenth of a second.
func NewKey(id string) (Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Key{}, fmt.Errorf("make key %s: %w", id, err)
	}
	return Key{id, private}, nil
}

// ParseKey reads a private key as [Key.Marshal] wrote it.
func ParseKey(id string, pkcs8 []byte) (Key, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return Key{}, fmt.Errorf("key %q: %w", id, err)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return Key{}, errors.New("key " + id + " is not an RSA key")
	}
	return Key{id, private}, nil
}

// Marshal returns the private key as PKCS #8.
func (k Key) Marshal() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(k.Private) }

// JWK returns the public key (RFC 7517), for signatures by RS256.
func (k Key) JWK() map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.ID,
		"n": base64.RawURLEncoding.EncodeToString(k.Private.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.Private.E)).Bytes()),
	}
}

// Sign makes a JWT by RS256. Header fields are added to alg, kid and typ or replace
// them; a nil one is left out. Nothing is added to the claims.
func (k Key) Sign(header, claims map[string]any) (string, error) {
	return k.SignAs(jwt.SigningMethodRS256, header, claims)
}

// SignAs is Sign by another algorithm of RSA's.
func (k Key) SignAs(method jwt.SigningMethod, header, claims map[string]any) (string, error) {
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	token.Header["kid"] = k.ID
	for name, value := range header {
		if value == nil {
			delete(token.Header, name)
			continue
		}
		token.Header[name] = value
	}
	signed, err := token.SignedString(k.Private)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}
