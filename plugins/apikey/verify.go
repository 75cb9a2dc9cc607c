package main

import (
	"context"
	"errors"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// verify has Clerk verify a key; it is called each time the key is used. A key that Clerk
// no longer accepts is looked up by its id, so that the error can say what happened to
// it.
func (p *apiKey) verify(ctx context.Context, h held) (clerk.APIKey, error) {
	if p.backend == nil {
		return clerk.APIKey{}, errNoWay
	}
	k, err := p.backend.VerifyAPIKey(ctx, h.key)
	if errors.Is(err, provider.ErrRejected) && h.ID != "" {
		if known, readErr := p.backend.APIKey(ctx, h.ID); readErr == nil {
			if end := known.CheckUsable(p.now()); end != nil {
				err = end
			}
		}
	}
	if err == nil {
		err = k.CheckUsable(p.now())
	}
	switch {
	case err != nil:
		return clerk.APIKey{}, hinted(err)
	case h.ID != "" && k.ID != h.ID:
		return clerk.APIKey{}, noCredential("the API key is another one than that of the sign-in")
	case h.Rights != "" && h.Rights != rightsMark(k):
		return clerk.APIKey{}, &provider.Error{
			Kind: provider.ErrRejected, Hint: "run zen login --provider apikey again",
			Message: "apikey: the scopes or claims of " + k.Label() + " were changed since the sign-in",
		}
	case !k.FromBackend():
		return clerk.APIKey{}, permissionError("have the backend of your app make the key, with scopes (POST /v1/api_keys)",
			"%s has neither scopes nor claims: people can make such keys for themselves", k.Label())
	}
	return k, nil
}

// hinted adds a hint for a key that is no longer valid.
func hinted(err error) error {
	if errors.Is(err, provider.ErrRejected) && provider.Hint(err) == "" {
		return &provider.Error{Kind: provider.ErrRejected, Message: err.Error(), Hint: "make another key, and run zen login --provider apikey", Err: err}
	}
	return err
}

// errNoWay: with these settings a key leads to no token.
var errNoWay = &provider.Error{
	Kind:    provider.ErrConfig,
	Message: "apikey: no provider is configured that verifies the API key",
	Hint: "name a token provider that verifies it (token_provider = \"openbao\"), " +
		"or, on a server of your own that holds the Clerk secret key, set " + secretKeyVariable,
}

// claimsOf returns the verified claims of a key, as an identity.
func (p *apiKey) claimsOf(k clerk.APIKey, rights *provider.DatabaseClaims) provider.Claims {
	claims := provider.Claims{Subject: k.Subject, ID: k.ID, Expires: k.Expires, Database: rights}
	if p.settings.instance != nil {
		claims.Issuer = p.settings.instance.URL
	}
	if isOrganization(k.Subject) {
		claims.Organization = &provider.Organization{ID: k.Subject, Permissions: k.Scopes}
	}
	return claims
}
