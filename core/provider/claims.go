package provider

import "time"

// Claims are the claims of a verified JWT, in one form for every issuer. The names in
// JSON are those of the credentials file, and don't change.
type Claims struct {
	// From the JOSE header: alg, kid, typ, and Clerk's category cat.
	Algorithm string `json:"Algorithm"`
	KeyID     string `json:"KeyID"`
	Type      string `json:"Type"`
	Category  string `json:"Category"`
	// IDToken is true if the payload has nonce, at_hash or c_hash: it is an
	// id_token (OpenID Connect Core 1.0, section 2), which no database may see.
	IDToken bool `json:"IDToken"`

	Issuer          string    `json:"Issuer"`
	Subject         string    `json:"Subject"`
	Audience        []string  `json:"Audience"`
	ID              string    `json:"ID"`
	AuthorizedParty string    `json:"AuthorizedParty"`
	Issued          time.Time `json:"Issued"`
	NotBefore       time.Time `json:"NotBefore"`
	Expires         time.Time `json:"Expires"`

	// Session is the session that the token belongs to (sid).
	Session string `json:"Session"`
	// Status is Clerk's session status (sts): active or pending.
	Status string `json:"Status"`
	// Organization is the active organization; nil if there is none.
	Organization *Organization `json:"Organization"`
	// Actor is the one who acts as Subject (impersonation); "" means Subject itself.
	Actor string `json:"Actor"`
	// Database holds the claims that Turso reads. It is nil if there are none, which
	// Turso takes as access to every database of every group.
	Database *DatabaseClaims `json:"Database"`
}

// Organization is a membership.
type Organization struct {
	ID          string   `json:"ID"`
	Slug        string   `json:"Slug"`
	Role        string   `json:"Role"`
	Permissions []string `json:"Permissions"`
}

// DatabaseClaims are Turso's claims.
type DatabaseClaims struct {
	// DatabaseID (id) and GroupID (gid) say for which database or group.
	DatabaseID string `json:"DatabaseID"`
	GroupID    string `json:"GroupID"`
	// Access is the most that a (and p) allow: ro, or rw for everything more.
	Access Access `json:"Access"`
	// Permissions is perm.
	Permissions []Permission `json:"Permissions"`
	// RoleID is rid.
	RoleID string `json:"RoleID"`
	// Namespaces is p: the databases that it names, by kind of access (ro, rw,
	// roa, rwa, ddl). A name that begins with TagPrefix is a tag: all databases of
	// a group.
	Namespaces map[string][]string `json:"Namespaces"`
}

// TagPrefix begins a tag among DatabaseClaims.Namespaces.
const TagPrefix = "tag:"
