package jwks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/provider"
)

// DecodeUnverified reads what a JWT says without checking its signature, its
// issuer or its times.
//
// Anybody can write such a token. The result is good for explaining a token to its
// owner and for nothing that decides.
func DecodeUnverified(token provider.Secret) (provider.Claims, error) {
	t, err := parse(token)
	if err != nil {
		return provider.Claims{}, err
	}
	return t.claims, nil
}

// parsed is a token taken apart, with nothing checked yet.
type parsed struct {
	claims   provider.Claims
	method   jwt.SigningMethod
	signed   string
	sig      []byte
	critical bool
}

// parser is strict about base64, so that no two texts are the same token. It
// decodes into a map because encoding/json takes "ID" for "id" in a struct: zen
// would see a claim where Turso sees none, and grants everything.
var parser = jwt.NewParser(jwt.WithStrictDecoding())

func parse(secret provider.Secret) (*parsed, error) {
	// Also keeps out the line breaks that Go's base64 decoder skips.
	if err := (provider.Token{Value: secret}).ValidateValue(); err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	token := secret.Reveal()
	claims := jwt.MapClaims{}
	t, _, err := parser.ParseUnverified(token, claims)
	// An alg that the library doesn't know is left to the policy, which names it.
	if err != nil && !errors.Is(err, jwt.ErrTokenUnverifiable) {
		return nil, malformed("it is not a JWT: %s", reason(err))
	}
	p := &parsed{method: t.Method, signed: token[:strings.LastIndexByte(token, '.')], sig: t.Signature}
	p.claims, err = readClaims(t.Header, claims)
	if err != nil {
		return nil, err
	}
	_, p.critical = t.Header["crit"]
	p.claims.IDToken = isIDToken(claims)
	return p, nil
}

// reason is what is wrong with a malformed token, without the bytes of it that
// the decoders' own errors may quote.
func reason(err error) string {
	text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), jwt.ErrTokenMalformed.Error()+": "), ": ")
	return text
}

// isIDToken finds the claims that only an ID token has (OpenID Connect Core 1.0,
// sections 2 and 3.3.2.11).
func isIDToken(claims jwt.MapClaims) bool {
	for _, name := range [...]string{"at_hash", "c_hash", "nonce"} {
		if _, ok := claims[name]; ok {
			return true
		}
	}
	return false
}

func malformed(format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrTokenInvalid, Message: "read token: " + fmt.Sprintf(format, args...)}
}

// invalid is an ErrTokenInvalid that names the token's key, algorithm and issuer.
func (p *parsed) invalid(format string, args ...any) error {
	return &provider.Error{
		Kind:    provider.ErrTokenInvalid,
		Message: fmt.Sprintf("verify token: %s (%s)", fmt.Sprintf(format, args...), p),
	}
}

// String names the token for people, without giving it away.
func (p *parsed) String() string {
	return fmt.Sprintf("kid %.80q, alg %.20q, issuer %.120q", p.claims.KeyID, p.claims.Algorithm, p.claims.Issuer)
}
