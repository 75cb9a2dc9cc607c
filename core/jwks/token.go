package jwks

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/jsonobject"
)

// DecodeUnverified reads what a JWT says without checking its signature, its
// issuer or its times.
//
// Anyone can write such a token. What it says may refuse the token itself (it is not for
// this database), and it may be believed where something else vouches for the token: it
// was verified before it was put into a private store, or it came over TLS from the API
// that issued it and publishes no keys. Everything else needs a [Verifier].
func DecodeUnverified(token provider.Secret) (provider.Claims, error) {
	t, err := parse(token)
	if err != nil {
		return provider.Claims{}, err
	}
	return t.claims, nil
}

// maxToken is the bound of provider.Token.ValidateValue.
const maxToken = 16 << 10

// parsed is a token taken apart, with nothing checked yet.
type parsed struct {
	claims   provider.Claims
	signed   string
	sig      []byte
	critical bool
}

func parse(secret provider.Secret) (*parsed, error) {
	token := secret.Reveal()
	switch {
	case token == "":
		return nil, malformed("it is empty")
	case len(token) > maxToken:
		return nil, malformed("it has %d bytes, more than 16 KiB", len(token))
	case strings.IndexByte(token, '\n') >= 0 || strings.IndexByte(token, '\r') >= 0:
		// Go's base64 decoder skips them, and go-libsql ends the process over them.
		return nil, malformed("it has a line break")
	}
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
	p.critical = header.Raw("crit") != ""
	p.claims.IDToken = isIDToken(claims)
	return p, nil
}

// base64url is strict, so that no two texts are the same token.
var base64url = base64.RawURLEncoding.Strict()

// errNotBase64 stands for the decoder's own error, which quotes the token.
var errNotBase64 = errors.New("base64url")

func decodeObject(segment string) (jsonobject.Object, error) {
	text, err := base64url.DecodeString(segment)
	if err != nil {
		return nil, errNotBase64
	}
	return jsonobject.Read(text)
}

// isIDToken finds the claims that only an ID token has (OpenID Connect Core 1.0,
// sections 2 and 3.3.2.11).
func isIDToken(claims jsonobject.Object) bool {
	return claims.Has("at_hash") || claims.Has("c_hash") || claims.Has("nonce")
}

func malformed(format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrTokenInvalid, Message: "read token: " + fmt.Sprintf(format, args...)}
}

// invalid returns an ErrTokenInvalid that names the token's key, algorithm and issuer.
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
