package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// static is a token that a person was given.
type static struct {
	value  provider.Secret
	claims provider.Claims
}

// read decodes a token, and refuses what is certainly not a token for one database,
// before it is sent anywhere. It verifies no signature: Turso publishes no keys for the
// tokens that it mints, and checks each itself. where says where the token was found.
func read(text, where string, now time.Time) (static, error) {
	t := static{value: provider.NewSecret(strings.TrimSpace(text))}
	if kind := clerk.KindOfKey(t.value.Reveal()); kind != clerk.KeyUnknown && kind != clerk.KeyJWT {
		return static{}, wrong("%s is %s", where, kind)
	}
	if err := (provider.Token{Value: t.value}).ValidateValue(); err != nil {
		return static{}, wrong("%s is no token: it is too long, or has a character that no token has", where)
	}
	var err error
	if t.claims, err = jwks.DecodeUnverified(t.value); err != nil {
		return static{}, wrong("%s is not a JWT", where)
	}
	c, d := t.claims, t.claims.Database
	switch {
	case c.Algorithm == "" || strings.EqualFold(c.Algorithm, "none") || strings.HasPrefix(strings.ToUpper(c.Algorithm), "HS"):
		return static{}, wrong("%s is not signed with a key pair (alg %.20q)", where, c.Algorithm)
	case d == nil || d.DatabaseID == "" && d.GroupID == "" && len(d.Namespaces) == 0:
		return static{}, wrong("%s names no database (id or p): an API token of Turso's, or one that Turso would take for every database", where)
	case d.GroupID != "":
		return static{}, wrong("%s is for a group, not for one database", where)
	}
	return t, t.checkEnd(where, now)
}

func (t static) checkEnd(where string, now time.Time) error {
	if end := t.claims.Expires; !end.IsZero() && !now.Round(0).Before(end) {
		return &provider.Error{
			Kind: provider.ErrTokenExpired, Message: fmt.Sprintf("statictoken: %s ended at %s", where, end.UTC().Format(time.RFC3339)),
			Hint: "have another one made: turso db tokens create NAME",
		}
	}
	return nil
}

// subject describes for people what the token is for.
func (t static) subject() string {
	d := t.claims.Database
	access := "rw"
	if d.Access == provider.AccessReadOnly {
		access = "ro"
	}
	if len(d.Permissions) > 0 {
		access += " with permissions"
	}
	return fmt.Sprintf("a token for %s (%s)", strings.Join(d.Databases(), ", "), access)
}

// issue returns the token if it fits the request.
func (t static) issue(req provider.TokenRequest) (provider.Token, error) {
	if err := t.claims.Authorizes(req.Target, req.Access, req.Permissions); err != nil {
		return provider.Token{}, &provider.Error{
			Kind: provider.Kind(err), Message: "statictoken: " + err.Error(), Err: err,
			Hint: "have one made for this database, with the profile's access and permissions: turso db tokens create NAME",
		}
	}
	return provider.Token{Value: t.value, Issued: t.claims.Issued, Expires: t.claims.Expires}, nil
}

func wrong(format string, args ...any) error {
	return &provider.Error{
		Kind: provider.ErrConfig, Message: "statictoken: " + fmt.Sprintf(format, args...),
		Hint: "a token for one database is needed here: turso db tokens create NAME",
	}
}
