package main

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
	categorySession  = "cl_B7d4PD111AAA"
	categoryTemplate = "cl_B7d4PD222AAA"
	// categoryIgnore is on every token of instances that opted out.
	categoryIgnore = "cl_I7d4PD111III"
)

// policy takes session and template tokens, and refuses what the same key signs
// beside them: OAuth access tokens (at+jwt), machine tokens, ID tokens.
func policy(i instance) jwks.Policy {
	return jwks.Policy{
		Issuer: i.url, Algorithms: []string{"RS256"}, Types: []string{"JWT"},
		Categories: []string{categorySession, categoryTemplate, categoryIgnore},
	}
}

func verification(i instance) *provider.Verification {
	return &provider.Verification{Issuer: i.url, KeySetURL: i.keySetURL(), Algorithms: []string{"RS256"}}
}

// Verify implements provider.Identity.
func (p *clerkProvider) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	if err := p.configured(); err != nil {
		return provider.Claims{}, err
	}
	claims, err := p.verifier.Verify(ctx, token)
	if err != nil {
		return provider.Claims{}, fmt.Errorf("clerk: %w", err)
	}
	switch {
	case !strings.HasPrefix(claims.Subject, "user_"):
		err = invalid("the subject %.40q is not a user", claims.Subject)
	case claims.Category == "" && claims.Session == "" && claims.Database == nil && len(claims.Audience) > 0:
		err = invalid("it is for %.60q: an OpenID Connect ID token, not a token for a database", claims.Audience[0])
	case claims.Status == "pending":
		err = &provider.Error{
			Kind:    provider.ErrPermission,
			Message: "clerk: the session is pending: the app asks for something more",
			Hint:    "open your app in the browser, finish what it asks for (such as choosing an organisation), and run zen login again",
		}
	}
	if err != nil {
		return provider.Claims{}, err
	}
	return claims, nil
}

func invalid(format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrTokenInvalid, Message: "clerk: verify token: " + fmt.Sprintf(format, args...)}
}
