package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/provider"
)

// assertionLife is the life of a signed assertion. It is used once, at once; what
// is left is for clocks that differ.
const assertionLife = 2 * time.Minute

// Key signs the assertions of a client (private_key_jwt). It prints without the key.
type Key struct {
	// ID is the kid of the header, as the issuer knows the key; empty sends none.
	ID     string
	method jwt.SigningMethod
	signer crypto.PrivateKey
}

// ParseKey reads a private key in PEM (PKCS #8, PKCS #1 or SEC 1): RSA of 2048 bits at
// least, for RS256, RS384 or PS256, or on P-256 for ES256. algorithm "" is RS256 or
// ES256. The error is ErrConfig and has nothing of the key.
func ParseKey(text provider.Secret, algorithm, id string) (*Key, error) {
	bad := func(format string, args ...any) (*Key, error) {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "private key: " + fmt.Sprintf(format, args...)}
	}
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return bad("it is not PEM (-----BEGIN PRIVATE KEY-----)")
	}
	parsed, err := parseDER(block.Bytes)
	if err != nil {
		return bad("it can't be read (one with a passphrase has to be decrypted first)")
	}
	key := &Key{ID: id, signer: parsed}
	switch private := parsed.(type) {
	case *rsa.PrivateKey:
		if private.N.BitLen() < 2048 {
			return bad("its RSA modulus has %d bits, less than 2048", private.N.BitLen())
		}
		methods := map[string]jwt.SigningMethod{
			"": jwt.SigningMethodRS256, "RS256": jwt.SigningMethodRS256, "RS384": jwt.SigningMethodRS384, "PS256": jwt.SigningMethodPS256,
		}
		key.method = methods[algorithm]
	case *ecdsa.PrivateKey:
		if private.Curve.Params().BitSize == 256 && (algorithm == "" || algorithm == "ES256") {
			key.method = jwt.SigningMethodES256
		}
	}
	if key.method == nil {
		return bad("algorithm %.20q is not one of RS256, RS384, PS256 for an RSA key, or ES256 for one on P-256", algorithm)
	}
	return key, nil
}

func parseDER(der []byte) (crypto.PrivateKey, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("unknown form of private key")
}

// Format implements fmt.Formatter, for every verb.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[private key]")) }

// assertion says that the client is asking (RFC 7523 section 3). Its audience is the
// issuer, as the successor of that RFC wants it and Auth0 does.
func (c *Client) assertion() (provider.Secret, error) {
	now := c.now()
	token := jwt.NewWithClaims(c.Key.method, jwt.MapClaims{
		"iss": c.ID, "sub": c.ID, "aud": c.Metadata.Issuer, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if c.Key.ID != "" {
		token.Header["kid"] = c.Key.ID
	}
	signed, err := token.SignedString(c.Key.signer)
	if err != nil {
		return provider.Secret{}, &provider.Error{Kind: provider.ErrConfig, Message: prefixed(c.Name, "the private key can't sign"), Err: err}
	}
	return provider.NewSecret(signed), nil
}
