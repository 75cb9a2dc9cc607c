// Package josetest verifies tokens as a relying party that knows only an address.
package josetest

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"

	"github.com/golang-jwt/jwt/v5"
)

// Get fetches JSON. A status other than 200 is an error.
func Get(url string, into any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// Keys fetches a key set of RSA keys for jwt.Parse, which finds a token's by its kid.
func Keys(url string) (jwt.Keyfunc, error) {
	var set struct {
		Keys []struct{ Kty, Kid, N, E string }
	}
	if err := Get(url, &set); err != nil {
		return nil, err
	}
	keys := map[any]*rsa.PublicKey{}
	for _, k := range set.Keys {
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		e, errE := base64.RawURLEncoding.DecodeString(k.E)
		if err := errors.Join(err, errE); err != nil || k.Kty != "RSA" {
			return nil, fmt.Errorf("key %s is not an RSA key: %w", k.Kid, err)
		}
		keys[k.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return func(token *jwt.Token) (any, error) {
		if key := keys[token.Header["kid"]]; key != nil {
			return key, nil
		}
		return nil, jwt.ErrTokenUnverifiable
	}, nil
}

// Verify checks a token against the issuer's discovery document and key set (OpenID
// Connect Discovery), and that it is for an audience. An empty audience is any.
func Verify(token, issuer, audience string, options ...jwt.ParserOption) (jwt.MapClaims, error) {
	var discovery struct {
		Issuer  string
		JWKSURI string `json:"jwks_uri"`
	}
	if err := Get(issuer+"/.well-known/openid-configuration", &discovery); err != nil {
		return nil, err
	}
	if discovery.Issuer != issuer {
		return nil, fmt.Errorf("%s calls itself %s", issuer, discovery.Issuer)
	}
	keys, err := Keys(discovery.JWKSURI)
	if err != nil {
		return nil, err
	}
	options = append(options, jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if audience != "" {
		options = append(options, jwt.WithAudience(audience))
	}
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(token, claims, keys, options...)
	return claims, err
}
