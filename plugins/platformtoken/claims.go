package main

import (
	"errors"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// decode reads the claims of a token from Turso, without verifying it: Turso publishes no
// key for the tokens that it mints, and this one came over TLS from its API. The claims
// give its lifetime, and show whether it matches the request.
func decode(token string) (provider.Claims, error) {
	claims, err := jwks.DecodeUnverified(provider.NewSecret(token))
	if err != nil || claims.Algorithm == "" || claims.Algorithm == "none" {
		return provider.Claims{}, &provider.Error{
			Kind: provider.ErrTokenInvalid, Message: "platformtoken: the token from Turso is not a signed JWT", Err: err,
		}
	}
	return claims, nil
}

// isForDatabase distinguishes a database token from an API token, which is also a JWT and
// may have an id.
func isForDatabase(c provider.Claims) bool {
	d := c.Database
	return d != nil && (d.GroupID != "" || d.RoleID != "" || len(d.Permissions) > 0 || d.Namespaces != nil)
}

// within refuses a token that is for another database, or that allows more, or lives
// longer, than requested: fine-grained permissions are not in the API's published
// description, and an API that doesn't know them would ignore them.
func within(c provider.Claims, database turso.Database, req provider.TokenRequest, lifetime time.Duration, now time.Time) error {
	req.Target.DatabaseID, req.Lifetime = database.ID, lifetime
	err := c.Fits(req, now)
	if err == nil {
		return nil
	}
	text := err.Error()
	if c.Database == nil || c.Database.DatabaseID != database.ID {
		err = errors.Join(err, errOtherDatabase)
	}
	return &provider.Error{
		Kind: provider.ErrPermission, Err: err,
		Message: "platformtoken: Turso minted a token that doesn't fit the database " + database.Name + ": " + text,
		Hint:    "it was discarded; report this, with the output of zen version",
	}
}
