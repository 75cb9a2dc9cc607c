package provider

import (
	"fmt"
	"slices"
	"strings"
)

// Authorizes reports whether a token with these claims may be sent to target, and
// grants no more than access. It fails closed, because the server doesn't: Turso
// reads a JWT without database claims as access to every database of every group,
// and all of an issuer's tokens (session, id_token, OAuth, machine) are signed by
// the one key set that is registered there.
//
// It doesn't check signature or times. The errors are ErrPermission, and say
// which claim is missing or wrong.
func (c Claims) Authorizes(target Target, access Access) error {
	if err := c.isForDatabases(); err != nil {
		return err
	}
	d := c.Database
	if d == nil || d.DatabaseID == "" && d.GroupID == "" && len(d.Namespaces) == 0 {
		return &Error{
			Kind:    ErrPermission,
			Message: fmt.Sprintf("the token of %s has no database claims (id or p): Turso would read it as access to every database, so it is not sent", c.issuerName()),
			Hint:    "put what turso org jwks template prints into the issuer's JWT template",
		}
	}
	if err := d.covers(target); err != nil {
		return err
	}
	if access == AccessReadOnly && d.writes() {
		return &Error{
			Kind:    ErrPermission,
			Message: fmt.Sprintf("the token of %s grants rw where ro was asked for", c.issuerName()),
			Hint:    "have the issuer make a token with the claim a=ro, or ask for rw",
		}
	}
	return nil
}

// isForDatabases refuses the kinds of token that were made for something else.
func (c Claims) isForDatabases() error {
	kind := ""
	switch typ := strings.TrimPrefix(strings.ToLower(c.Type), "application/"); {
	case typ == "at+jwt":
		kind = "an OAuth access token (typ at+jwt)"
	case c.IDToken:
		kind = "an id_token"
	case strings.HasPrefix(c.Subject, "mch_"):
		kind = "a machine token"
	default:
		return nil
	}
	return &Error{
		Kind:    ErrPermission,
		Message: fmt.Sprintf("the token of %s is %s, which is never sent to a database", c.issuerName(), kind),
		Hint:    "use a token made for databases, from a JWT template or an audience of its own",
	}
}

func (c Claims) issuerName() string {
	if c.Issuer == "" {
		return "an unnamed issuer"
	}
	return c.Issuer
}

// covers checks that the token is for the target. Where p is present, it alone
// counts, as at the server.
func (d *DatabaseClaims) covers(target Target) error {
	names := d.names()
	switch {
	case len(names) == 0 && d.GroupID == "":
		return &Error{Kind: ErrPermission, Message: "the token names no database in its claim p"}
	case len(names) == 0:
		return &Error{
			Kind:    ErrPermission,
			Message: fmt.Sprintf("the token is for the group %s, not for one database", d.GroupID),
			Hint:    "use a token for the database itself",
		}
	case target.DatabaseID == "" || slices.Contains(names, target.DatabaseID):
		return nil
	}
	return &Error{
		Kind:    ErrPermission,
		Message: fmt.Sprintf("the token is for database %s, and %s is database %s", strings.Join(names, ", "), target.URL, target.DatabaseID),
		Hint:    "correct the id in the issuer's JWT template, or database_id in the profile",
	}
}

// names are the databases that the token names.
func (d *DatabaseClaims) names() []string {
	if len(d.Namespaces) == 0 {
		if d.DatabaseID == "" {
			return nil
		}
		return []string{d.DatabaseID}
	}
	var names []string
	for _, list := range d.Namespaces {
		names = append(names, list...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// writes reports whether the token allows more than reading. Turso reads a
// missing a as rw, and permissions narrow it.
func (d *DatabaseClaims) writes() bool {
	if len(d.Namespaces) > 0 {
		return len(d.Namespaces["rw"])+len(d.Namespaces["rwa"])+len(d.Namespaces["ddl"]) > 0
	}
	if d.Access == AccessReadOnly {
		return false
	}
	for _, p := range d.Permissions {
		if slices.ContainsFunc(p.Actions, func(a Action) bool { return a != "data_read" }) {
			return true
		}
	}
	return len(d.Permissions) == 0
}
