package provider

import "time"

// Claims are what a verified JWT says, in one form for every issuer.
type Claims struct {
	// From the JOSE header: alg, kid, typ, and Clerk's category cat.
	Algorithm string
	KeyID     string
	Type      string
	Category  string
	// IDToken is true where the payload has nonce, at_hash or c_hash: it is an
	// id_token (OpenID Connect Core 1.0, section 2), which no database may see.
	IDToken bool

	Issuer          string
	Subject         string
	Audience        []string
	ID              string
	AuthorizedParty string
	Issued          time.Time
	NotBefore       time.Time
	Expires         time.Time

	// Session is the session that the token belongs to (sid).
	Session string
	// Status is Clerk's session status (sts): active or pending.
	Status string
	// Organization is the active organisation; nil where there is none.
	Organization *Organization
	// Actor is who acts as Subject (impersonation); "" is Subject itself.
	Actor string
	// Database is what Turso reads in the token; nil where there is none of it,
	// which Turso takes as access to every database of every group.
	Database *DatabaseClaims
}

// Organization is a membership.
type Organization struct {
	ID          string
	Slug        string
	Role        string
	Permissions []string
}

// DatabaseClaims are Turso's claims.
type DatabaseClaims struct {
	// DatabaseID (id) and GroupID (gid) say for which database or group.
	DatabaseID string
	GroupID    string
	// Access is the most that a (and p) allow: ro, or rw for everything more.
	Access Access
	// Permissions is perm.
	Permissions []Permission
	// RoleID is rid.
	RoleID string
	// Namespaces is p: the databases that it names, by kind of access (ro, rw,
	// roa, rwa, ddl). A name that begins with TagPrefix is a tag: all databases of
	// a group.
	Namespaces map[string][]string
}

// TagPrefix begins a tag among DatabaseClaims.Namespaces.
const TagPrefix = "tag:"
