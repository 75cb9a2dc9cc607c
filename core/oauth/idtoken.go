package oauth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// Verifier checks signature, issuer and times of a JWT: a *jwks.Verifier, whose policy
// allows ID tokens.
type Verifier interface {
	Verify(ctx context.Context, token provider.Secret) (provider.Claims, error)
}

// IDClaims are the claims of an ID token.
type IDClaims struct {
	provider.Claims
	// Email, Name and Username are for people, and none of them is proof of anything.
	// An address that the issuer calls unverified is UnverifiedEmail instead.
	Email, Name, Username, UnverifiedEmail string
}

// Person returns the best name for the subject that there is.
func (c IDClaims) Person() string {
	for _, name := range []string{c.Email, c.Username, c.Name} {
		if name = Harmless(name); name != "" {
			return name
		}
	}
	return Harmless(c.Subject)
}

// VerifyID verifies the ID token of a sign-in (OpenID Connect Core 1.0 section 3.1.3.7):
// beside what the verifier checks, it is for this client, and repeats the nonce.
func (c *Client) VerifyID(ctx context.Context, verifier Verifier, tokens Tokens) (IDClaims, error) {
	if tokens.ID.IsZero() {
		return IDClaims{}, c.badID("the issuer sent none: is openid among the scopes?")
	}
	claims, err := verifier.Verify(ctx, tokens.ID)
	if err != nil {
		return IDClaims{}, fmt.Errorf("%s: ID token: %w", c.Name, err)
	}
	var further struct {
		Nonce    string `json:"nonce"`
		Email    string `json:"email"`
		Verified any    `json:"email_verified"` // a truth, or its name
		Name     string `json:"name"`
		Username string `json:"preferred_username"`
	}
	ReadClaims(tokens.ID, &further)
	switch {
	case claims.Subject == "":
		return IDClaims{}, c.badID("it has no subject")
	case !slices.Contains(claims.Audience, c.ID):
		return IDClaims{}, c.badID("it is for another application than %.60q", c.ID)
	case claims.AuthorizedParty != "" && claims.AuthorizedParty != c.ID:
		return IDClaims{}, c.badID("it was asked for by another application (azp)")
	case len(claims.Audience) > 1 && claims.AuthorizedParty == "":
		return IDClaims{}, c.badID("it is for several applications and does not say which one asked (azp)")
	case tokens.Nonce != "" && subtle.ConstantTimeCompare([]byte(further.Nonce), []byte(tokens.Nonce)) != 1:
		return IDClaims{}, c.badID("its nonce is not the one of this sign-in")
	}
	id := IDClaims{Claims: claims, Email: further.Email, Name: further.Name, Username: further.Username}
	if further.Verified == false || further.Verified == "false" {
		id.Email, id.UnverifiedEmail = "", further.Email
	}
	return id, nil
}

func (c *Client) badID(format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrTokenInvalid, Message: prefixed(c.Name, "ID token: "+format, args...)}
}

// ReadClaims decodes the payload of a JWT into out, which claims of other types than
// expected leave as it is. It verifies nothing: call it on a token that was verified.
func ReadClaims(token provider.Secret, out any) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		_ = json.Unmarshal(payload, out)
	}
}
