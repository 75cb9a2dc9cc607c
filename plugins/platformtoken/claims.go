package main

import (
	"errors"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// decode reads what a token from Turso says. Nothing is verified: Turso publishes
// no key for the tokens that it mints, and this one came over TLS from its API. It
// is read to know how long it lives, and to be sure that it is what was asked for.
func decode(token string) (provider.Claims, error) {
	claims, err := jwks.DecodeUnverified(provider.NewSecret(token))
	if err != nil || claims.Algorithm == "" || claims.Algorithm == "none" {
		return provider.Claims{}, &provider.Error{
			Kind: provider.ErrTokenInvalid, Message: "platformtoken: the token from Turso is not a signed JWT", Err: err,
		}
	}
	return claims, nil
}

// isForDatabase tells a database token from an API token, which is a JWT too and
// may have an id.
func isForDatabase(c provider.Claims) bool {
	d := c.Database
	return d != nil && (d.GroupID != "" || d.RoleID != "" || len(d.Permissions) > 0 || d.Namespaces != nil)
}

// life is from iat where there is one, as this machine's clock may be wrong.
func life(c provider.Claims, now time.Time) time.Duration {
	if !c.Issued.IsZero() {
		now = c.Issued
	}
	return c.Expires.Sub(now)
}

// within refuses a token that is for another database, or that may do more, or
// lives longer, than was asked for: fine-grained permissions are not in the API's
// published description, and an API that doesn't know them would ignore them.
func within(c provider.Claims, database turso.Database, req provider.TokenRequest, lifetime time.Duration, now time.Time) error {
	d := c.Database
	switch {
	case d == nil || d.DatabaseID != database.ID:
		return tooWide("is not for the database "+database.Name, errOtherDatabase)
	case d.GroupID != "" || d.Namespaces != nil:
		return tooWide("is for more than the database " + database.Name)
	case c.Expires.IsZero():
		return tooWide("does not expire")
	case life(c, now) > lifetime+time.Second:
		return tooWide("lives longer than was asked for")
	}
	if err := c.Authorizes(provider.Target{URL: req.Target.URL, DatabaseID: database.ID}, req.Access, req.Permissions); err != nil {
		return tooWide("does not fit: "+err.Error(), err)
	}
	return nil
}

func tooWide(reason string, cause ...error) error {
	return &provider.Error{
		Kind: provider.ErrPermission, Err: errors.Join(cause...),
		Message: "platformtoken: the token from Turso " + reason,
		Hint:    "it was thrown away; report this, with the output of zen version",
	}
}
