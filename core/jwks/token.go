package jwks

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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
	signed   string
	sig      []byte
	critical bool
}

func parse(secret provider.Secret) (*parsed, error) {
	// Also keeps out the line breaks that Go's base64 decoder skips.
	if err := (provider.Token{Value: secret}).ValidateValue(); err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	token := secret.Reveal()
	segments := strings.Split(token, ".")
	if len(segments) != 3 {
		return nil, malformed("it is not a JWT: it has %d segments, not 3", len(segments))
	}
	header, err := decodeObject(segments[0])
	if err != nil {
		return nil, malformed("it is not a JWT: the header is not %v", err)
	}
	claims, err := decodeObject(segments[1])
	if err != nil {
		return nil, malformed("it is not a JWT: the payload is not %v", err)
	}
	p := &parsed{signed: token[:len(token)-len(segments[2])-1]}
	if p.sig, err = base64url.DecodeString(segments[2]); err != nil {
		return nil, malformed("it is not a JWT: the signature is not base64url")
	}
	if p.claims, err = readClaims(header, claims); err != nil {
		return nil, err
	}
	_, p.critical = header["crit"]
	p.claims.IDToken = isIDToken(claims)
	return p, nil
}

// base64url is strict, so that no two texts are the same token.
var base64url = base64.RawURLEncoding.Strict()

// decodeObject decodes to a map and not to a struct, for which encoding/json takes
// "ID" for "id": zen would see a claim where Turso sees none, and grants everything.
// The target is an empty interface because that is twice as fast as a typed map.
func decodeObject(segment string) (map[string]any, error) {
	text, err := base64url.DecodeString(segment)
	if err != nil {
		return nil, errNotBase64
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, errNotObject
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errNotObject
	}
	return object, nil
}

// The decoders' own errors may quote the token.
var (
	errNotBase64 = errors.New("base64url")
	errNotObject = errors.New("a JSON object")
)

// isIDToken finds the claims that only an ID token has (OpenID Connect Core 1.0,
// sections 2 and 3.3.2.11).
func isIDToken(claims map[string]any) bool {
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
