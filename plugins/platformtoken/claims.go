package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// claims are what a database token says. Nothing here is verified: Turso publishes
// no key for the tokens that it mints, and this one came over TLS from its API. It
// is read to know how long it lives, and to be sure that it is what was asked for.
type claims struct {
	ID          string             // id
	GroupID     string             // gid
	Access      string             // a
	Permissions []turso.Permission // perm
	Namespaces  json.RawMessage    // p
	// NumericDate may have a fraction (RFC 7519, section 2).
	Issued  float64 // iat
	Expires float64 // exp
}

// UnmarshalJSON takes members by their exact names. To Turso "ID" is not "id", and
// a token without "id" is good for every database.
func (c *claims) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for name, into := range map[string]any{
		"id": &c.ID, "gid": &c.GroupID, "a": &c.Access, "perm": &c.Permissions, "p": &c.Namespaces,
		"iat": &c.Issued, "exp": &c.Expires,
	} {
		if raw, ok := members[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return err
			}
		}
	}
	return nil
}

// isForDatabase tells a database token from an API token, which is a JWT too and
// may have an id.
func (c claims) isForDatabase() bool {
	return c.Access != "" || c.GroupID != "" || c.Permissions != nil || c.Namespaces != nil
}

func (c claims) expires() time.Time { return time.Unix(int64(c.Expires), 0) }

// life is from iat where there is one, as this machine's clock may be wrong.
func (c claims) life(now time.Time) time.Duration {
	if c.Issued != 0 {
		now = time.Unix(int64(c.Issued), 0)
	}
	return c.expires().Sub(now)
}

// decode reads the claims of a JWT (RFC 7519) in compact form.
func decode(token string) (claims, error) {
	parts := strings.Split(token, ".")
	var c claims
	if len(token) > 16<<10 || len(parts) != 3 {
		return c, notJWT()
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	for i, into := range []any{&header, &c} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(data, into) != nil {
			return claims{}, notJWT() // nothing of the errors, which quote the token
		}
	}
	if header.Algorithm == "" || strings.EqualFold(header.Algorithm, "none") || parts[2] == "" {
		return claims{}, notJWT()
	}
	return c, nil
}

func notJWT() error {
	return &provider.Error{Kind: provider.ErrTokenInvalid, Message: "platformtoken: the token from Turso is not a signed JWT"}
}

// within refuses a token that is for another database, or that may do more, or
// lives longer, than was asked for: fine-grained permissions are not in the API's
// published description, and an API that doesn't know them would ignore them.
func (c claims) within(database turso.Database, o turso.TokenOptions, now time.Time) error {
	switch {
	case c.ID != database.ID:
		return tooWide("is not for the database "+database.Name, errOtherDatabase)
	case c.GroupID != "" || c.Namespaces != nil:
		return tooWide("is for more than the database " + database.Name)
	case o.Authorization == turso.ReadOnly && c.Access != "ro":
		return tooWide("allows writes, but read-only access was asked for")
	case c.Access != "" && c.Access != "ro" && c.Access != "rw":
		return tooWide("has an access that was not asked for")
	case c.Expires == 0:
		return tooWide("does not expire")
	case c.life(now) > o.Expiration+time.Second:
		return tooWide("lives longer than was asked for")
	case !permitted(o.Permissions, c.Permissions):
		return tooWide("has wider permissions than were asked for")
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

// permitted reports whether got is within asked. Turso reads no permissions, got
// empty, as all of them.
func permitted(asked, got []turso.Permission) bool {
	if len(asked) == 0 {
		return true
	}
	for _, g := range got {
		for _, action := range g.Actions {
			if !covered(asked, g.Tables, action) {
				return false
			}
		}
	}
	return len(got) > 0
}

// covered: every one of tables (none means all) may be used for action.
func covered(asked []turso.Permission, tables []string, action string) bool {
	allows := func(table string, all bool) bool {
		return slices.ContainsFunc(asked, func(p turso.Permission) bool {
			return slices.Contains(p.Actions, action) && (p.Tables == nil || !all && slices.Contains(p.Tables, table))
		})
	}
	if len(tables) == 0 {
		return allows("", true)
	}
	return !slices.ContainsFunc(tables, func(table string) bool { return !allows(table, false) })
}
