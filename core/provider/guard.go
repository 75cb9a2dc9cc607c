package provider

import (
	"fmt"
	"slices"
	"strings"
)

const templateHint = "the issuer's JWT template needs what turso org jwks template prints for this database, scope and permissions"

// Authorizes reports whether a token with these claims may be sent to target, and grants
// no more than access and permissions (none are no limit). It fails closed, because the
// server doesn't: Turso reads a JWT without database claims as access to every database
// of every group, and all of an issuer's tokens (session, id_token, OAuth, machine) are
// signed by the one key set that is registered there.
//
// It doesn't check signature or times. The errors are ErrPermission, and say
// which claim is missing or wrong.
func (c Claims) Authorizes(target Target, access Access, permissions []Permission) error {
	if err := c.isForDatabases(target); err != nil {
		return err
	}
	d := c.Database
	if d == nil || d.DatabaseID == "" && d.GroupID == "" && len(d.Namespaces) == 0 {
		return &Error{
			Kind:    ErrPermission,
			Message: fmt.Sprintf("the token of %s has no database claims (id or p): Turso would read it as access to every database, so it is not sent", c.issuerName()),
			Hint:    templateHint,
		}
	}
	if err := d.covers(target); err != nil {
		return err
	}
	switch {
	case access == AccessReadOnly && d.writes():
		return &Error{
			Kind:    ErrPermission,
			Message: fmt.Sprintf("the token of %s grants rw where ro was asked for", c.issuerName()),
			Hint:    templateHint,
		}
	case len(permissions) > 0 && !d.within(permissions):
		return &Error{
			Kind:    ErrPermission,
			Message: fmt.Sprintf("the token of %s grants more than the permissions asked for", c.issuerName()),
			Hint:    templateHint,
		}
	}
	return nil
}

// isForDatabases refuses the kinds of token that were made for something else. An OAuth
// access token is for a database where it names that one by its id: issuers exist that
// make no other type (RFC 9068), and put in claims of one's own.
func (c Claims) isForDatabases(target Target) error {
	kind := ""
	switch typ := strings.TrimPrefix(strings.ToLower(c.Type), "application/"); {
	case typ == "at+jwt" && c.names(target):
		return nil
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

// names reports whether the claims are for the target by its id, which has to be known.
func (c Claims) names(target Target) bool {
	return c.Database != nil && target.DatabaseID != "" && c.Database.DatabaseID == target.DatabaseID
}

func (c Claims) issuerName() string {
	if c.Issuer == "" {
		return "Turso" // names itself in none of its tokens
	}
	return c.Issuer
}

// covers checks that the token is for the target. Where p is present, it alone
// counts, as at the server.
func (d *DatabaseClaims) covers(target Target) error {
	names := d.Databases()
	switch {
	case d.unlimited():
		return &Error{Kind: ErrPermission, Message: "the token's claim p has a kind of access that zen doesn't know, which may be for every database", Hint: templateHint}
	case len(names) == 0 && d.GroupID == "":
		return &Error{Kind: ErrPermission, Message: "the token names no database in its claim p", Hint: templateHint}
	case d.GroupID != "" || slices.ContainsFunc(names, isTag):
		return &Error{Kind: ErrPermission, Message: "the token is for a group, not for one database", Hint: templateHint}
	case len(names) > 1:
		return &Error{Kind: ErrPermission, Message: "the token is for several databases: " + strings.Join(names, ", "), Hint: templateHint}
	case target.DatabaseID == "" || slices.Contains(names, target.DatabaseID):
		return nil
	case len(d.Namespaces) > 0 && slices.ContainsFunc(names, func(name string) bool { return len(name) != len(target.DatabaseID) }):
		return nil // p may call a database by a name, which says nothing of its id
	}
	return &Error{
		Kind:    ErrPermission,
		Message: fmt.Sprintf("the token is for database %s, and %s is database %s", strings.Join(names, ", "), target.URL, target.DatabaseID),
		Hint:    templateHint,
	}
}

func isTag(name string) bool { return strings.HasPrefix(name, TagPrefix) }

// Databases returns the ids of the databases that the token names, sorted. Where p is
// present, it alone counts; it may name a database by its name, or by a tag.
func (d *DatabaseClaims) Databases() []string {
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

// kinds are the kinds of access in p that libsql-server knows. Every other one may mean
// anything, and counts as everything.
var kinds = []string{"ro", "rw", "roa", "rwa", "ddl"}

// unlimited reports whether p has an unknown kind without the names of databases.
func (d *DatabaseClaims) unlimited() bool {
	for kind, names := range d.Namespaces {
		if len(names) == 0 && !slices.Contains(kinds, kind) {
			return true
		}
	}
	return false
}

// writes reports whether the token may allow more than reading this database. Turso
// reads a missing a as rw; that perm narrows it is the server's word alone.
func (d *DatabaseClaims) writes() bool {
	if d.Access != AccessReadOnly && len(d.Namespaces) == 0 {
		return true
	}
	for kind, names := range d.Namespaces {
		if kind != "ro" && (len(names) > 0 || !slices.Contains(kinds, kind)) {
			return true
		}
	}
	return false
}

// within reports whether the token allows nothing that asked doesn't. A token
// without permissions, or with p, which knows no tables, is not limited.
func (d *DatabaseClaims) within(asked []Permission) bool {
	for _, has := range d.Permissions {
		tables := has.Tables
		if tables == nil {
			tables = []string{""} // the one name that no list has: all of them
		}
		for _, table := range tables {
			for _, action := range has.Actions {
				if !allows(asked, table, action) {
					return false
				}
			}
		}
	}
	return len(d.Permissions) > 0 && len(d.Namespaces) == 0
}

func allows(asked []Permission, table string, action Action) bool {
	return slices.ContainsFunc(asked, func(p Permission) bool {
		return slices.Contains(p.Actions, action) && (p.Tables == nil || slices.Contains(p.Tables, table))
	})
}
