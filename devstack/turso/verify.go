package turso

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/fault"
)

// leeway is the time for which a token is accepted past its end, as by libsql-server.
const leeway = 60 * time.Second

// Ways in which a token is refused. The texts are Turso Cloud's.
var (
	errNoToken     = unauthorized("empty JWT token")
	errNoKey       = unauthorized("invalid JWT token: can't be decoded with any of the existing keys")
	errInvalidated = unauthorized("invalid JWT token: role was invalidated after token was issued")
	errNotAllowed  = unauthorized("token does not have the permissions to access the database")
)

type tokenError struct {
	text string
	auth bool // 401 in any case; else 400, or as Options say
	soft bool // the status is not known for sure
}

func (e *tokenError) Error() string { return e.text }

func unauthorized(text string) error {
	return &tokenError{text: "Unauthorized: `unauthorized access attempt on database: " + text + "`", auth: true}
}

func malformed(format string, a ...any) error {
	return &tokenError{text: "JWT error: " + fmt.Sprintf(format, a...)}
}

var (
	errExpired   = &tokenError{text: "JWT error: ExpiredSignature", soft: true}
	errSignature = &tokenError{text: "JWT error: InvalidSignature", soft: true}
)

// token is a JWT, taken apart.
type token struct {
	alg, kid  string
	claims    claims
	signed    string // what the signature is of
	signature []byte
}

// grant is a token whose signature was found good.
type grant struct {
	claims  claims
	url     string // of the key set; "" for the server's own key
	version int64  // of that key set
}

// parseToken takes a token apart, in the order in which the texts say Turso does.
func parseToken(raw string) (*token, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, malformed("InvalidToken")
	}
	var t token
	var header struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
	}
	if err := decodePart(parts[0], &header); err != nil {
		return nil, err
	}
	t.alg, t.kid = header.Alg, header.Kid
	switch t.alg {
	case "RS256", "ES256", "EdDSA":
	case "HS256", "HS384", "HS512", "ES384", "RS384", "RS512", "PS256", "PS384", "PS512":
		return nil, malformed("InvalidAlgorithm")
	default:
		return nil, malformed("JSON error: unknown variant `%s`, expected one of `RS256`, `ES256`, `EdDSA`", t.alg)
	}
	if err := decodePart(parts[1], &t.claims); err != nil {
		return nil, err
	}
	switch t.claims.Access {
	case "", "rw", "ro", "roa":
	default:
		return nil, malformed("JSON error: unknown variant `%s`, expected one of `ro`, `rw`, `roa`", t.claims.Access)
	}
	signature, err := decodeBase64(parts[2])
	if err != nil {
		return nil, err
	}
	t.signed, t.signature = raw[:len(parts[0])+1+len(parts[1])], signature
	return &t, nil
}

func decodePart(part string, into any) error {
	b, err := decodeBase64(part)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return malformed("JSON error: %v", err)
	}
	return nil
}

func decodeBase64(part string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if corrupt := base64.CorruptInputError(0); errors.As(err, &corrupt) {
		if i := int(corrupt); i < len(part) {
			return nil, malformed("Base64 error: Invalid symbol %d, offset %d.", part[i], i)
		}
		return nil, malformed("Base64 error: Invalid input length: %d", len(part))
	}
	return b, nil
}

// signedBy reports whether the key could have signed the token, and whether it did.
func (t *token) signedBy(k publicKey) (fits, ok bool) {
	if k.alg != t.alg || t.kid != "" && k.kid != "" && t.kid != k.kid {
		return false, false
	}
	return true, jwt.GetSigningMethod(t.alg).Verify(t.signed, t.signature, k.key) == nil
}

// verify finds the key that signed the token: the server's own or one of the
// organization's registrations. A key set is fetched again when no key fits.
func (s *Server) verify(ctx context.Context, raw string, own ed25519.PublicKey, urls []string) (*grant, error) {
	t, err := parseToken(raw)
	if err != nil {
		return nil, err
	}
	if fits, ok := t.signedBy(publicKey{alg: "EdDSA", key: own}); fits && ok {
		return &grant{claims: t.claims}, nil
	}
	if s.opts.Faults.On(fault.JWKSStuck) {
		return nil, errNoKey
	}
	for _, keysOf := range []func(context.Context, string) ([]publicKey, int64){s.keys.current, s.keys.renewed} {
		err = errNoKey
		for _, url := range urls {
			keys, version := keysOf(ctx, url)
			for _, k := range keys {
				fits, ok := t.signedBy(k)
				if ok {
					return &grant{claims: t.claims, url: url, version: version}, nil
				}
				if fits && t.kid != "" && t.kid == k.kid {
					err = errSignature
				}
			}
		}
	}
	return nil, err
}
