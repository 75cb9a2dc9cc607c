package auth0

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// seal makes the access token of a grant without an audience: a JWE (RFC 7516, compact)
// that only the tenant can open, as Auth0's are. It looks like a JWT except for the
// number of dots.
func (t *Tenant) seal(claims map[string]any) (string, error) {
	header, err := json.Marshal(object{"alg": "dir", "enc": "A256GCM", "iss": claims["iss"]})
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	aead, err := t.aead()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	protected := base64.RawURLEncoding.EncodeToString(header)
	sealed := aead.Seal(nil, nonce, plain, []byte(protected))
	body, tag := sealed[:len(sealed)-aead.Overhead()], sealed[len(sealed)-aead.Overhead():]
	encode := base64.RawURLEncoding.EncodeToString
	return strings.Join([]string{protected, "", encode(nonce), encode(body), encode(tag)}, "."), nil
}

func (t *Tenant) unseal(token string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 5 {
		return nil, errors.New("not a sealed token")
	}
	aead, err := t.aead()
	if err != nil {
		return nil, err
	}
	var raw [3][]byte
	for i := range raw {
		if raw[i], err = base64.RawURLEncoding.DecodeString(parts[i+2]); err != nil {
			return nil, err
		}
	}
	if len(raw[0]) != aead.NonceSize() {
		return nil, errors.New("not a sealed token")
	}
	plain, err := aead.Open(nil, raw[0], append(raw[1], raw[2]...), []byte(parts[0]))
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	return claims, json.Unmarshal(plain, &claims)
}

func (t *Tenant) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(t.sealKey[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
