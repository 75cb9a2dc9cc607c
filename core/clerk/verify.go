package clerk

import (
	"context"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// Clerk's categories of tokens, from jwtCategories.ts of clerk/javascript. One key
// signs them all.
const (
	CategorySession  = "cl_B7d4PD111AAA"
	CategoryTemplate = "cl_B7d4PD222AAA"
	// categoryIgnore is on every token of instances that opted out.
	categoryIgnore = "cl_I7d4PD111III"
)

// Policy takes session and template tokens, and refuses what the same key signs
// beside them: OAuth access tokens (at+jwt), machine tokens, ID tokens.
func (i Instance) Policy() jwks.Policy {
	return jwks.Policy{
		Issuer: i.URL, Algorithms: []string{"RS256"}, Types: []string{"JWT"},
		Categories: []string{CategorySession, CategoryTemplate, categoryIgnore},
	}
}

// Verification returns how the tokens of the instance can be checked.
func (i Instance) Verification() *provider.Verification {
	return &provider.Verification{Issuer: i.URL, KeySetURL: i.KeySetURL(), Algorithms: []string{"RS256"}}
}

// Verify checks a session or template token, with a verifier that has the instance's
// [Instance.Policy].
func (i Instance) Verify(ctx context.Context, verifier *jwks.Verifier, token provider.Secret) (provider.Claims, error) {
	claims, err := verifier.Verify(ctx, token)
	if err != nil {
		return provider.Claims{}, i.explain(fmt.Errorf("clerk: %w", err), token)
	}
	switch {
	case !strings.HasPrefix(claims.Subject, "user_"):
		err = Invalid("the subject %.40q is not a user", claims.Subject)
	case claims.Category == "" && claims.Session == "" && claims.Database == nil && len(claims.Audience) > 0:
		err = Invalid("it is for %.60q: an OpenID Connect ID token, not a token for a database", claims.Audience[0])
	case claims.Status == "pending":
		err = &provider.Error{
			Kind:    provider.ErrPermission,
			Message: "clerk: the session is pending: the app asks for something more",
			Hint:    "open your app in the browser, finish what it asks for (such as choosing an organization), and run zen login again",
		}
	}
	if err != nil {
		return provider.Claims{}, err
	}
	return claims, nil
}

// explain adds what to do about a token that another address issued.
func (i Instance) explain(err error, token provider.Secret) error {
	unverified, decodeErr := jwks.DecodeUnverified(token)
	if decodeErr != nil || unverified.Issuer == i.URL || provider.Hint(err) != "" {
		return err
	}
	return &provider.Error{
		Kind: provider.Kind(err), Message: err.Error(), Err: err,
		Hint: "where Clerk's proxyUrl or a satellite domain issues the tokens, set proxy_url to that address; otherwise they are of another Clerk instance",
	}
}

// Invalid returns the error of a token that is not what it should be.
func Invalid(format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrTokenInvalid, Message: "clerk: verify token: " + fmt.Sprintf(format, args...)}
}
