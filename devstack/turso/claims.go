package turso

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/zen-auth/zen/devstack/engine"
)

// claims are the claims that Turso looks at in a token. Everything else, iss and nbf
// included, is ignored.
type claims struct {
	Access      string              `json:"a,omitempty"`
	ID          string              `json:"id,omitempty"`  // of the database
	Group       string              `json:"gid,omitempty"` // id of the group
	Permissions []engine.Permission `json:"perm,omitempty"`
	Policy      *policy             `json:"p,omitempty"`
	Role        string              `json:"rid,omitempty"`
	IssuedAt    float64             `json:"iat,omitempty"`
	Expires     float64             `json:"exp,omitempty"` // 0: never
	Audience    any                 `json:"aud,omitempty"` // only libsql-server alone looks at it
}

// UnmarshalJSON takes members by their exact names, unlike encoding/json on its
// own: to Turso, "ID" is not "id".
func (c *claims) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for name, into := range map[string]any{
		"a": &c.Access, "id": &c.ID, "gid": &c.Group, "perm": &c.Permissions, "p": &c.Policy,
		"rid": &c.Role, "iat": &c.IssuedAt, "exp": &c.Expires, "aud": &c.Audience,
	} {
		if raw, ok := members[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return fmt.Errorf("claim %s: %w", name, err)
			}
		}
	}
	return nil
}

// policy is the form of libsql-server's own tokens. Where it is present nothing
// else counts.
type policy struct {
	ReadOnly        *scope `json:"ro,omitempty"`
	ReadWrite       *scope `json:"rw,omitempty"`
	ReadOnlyAttach  *scope `json:"roa,omitempty"`
	ReadWriteAttach *scope `json:"rwa,omitempty"`
	DDL             *scope `json:"ddl,omitempty"` // implies rw; for schemas that databases share, which Turso has no more
}

// rights returns what the policy allows in a database; nil means nothing.
func (p *policy) rights(db *database) *engine.Rights {
	switch {
	case p.ReadWrite.covers(db), p.ReadWriteAttach.covers(db), p.DDL.covers(db):
		return engine.FullAccess
	case p.ReadOnly.covers(db), p.ReadOnlyAttach.covers(db):
		return readOnly
	}
	return nil
}

// scope names databases, and groups by their tag.
type scope struct {
	Namespaces []string `json:"ns,omitempty"`
	Tags       []string `json:"tags,omitempty"`
}

func (s *scope) covers(db *database) bool {
	if s == nil {
		return false
	}
	return slices.Contains(s.Namespaces, db.ID) || slices.Contains(s.Namespaces, db.Name) ||
		slices.Contains(s.Namespaces, db.org.Slug+"."+db.Name) ||
		slices.Contains(s.Tags, db.org.Groups[db.Group].ID)
}

// rights returns what the claims allow in a database; nil means nothing. A token that
// names none is good for all: Turso's documentation warns of it.
func (c *claims) rights(db *database) *engine.Rights {
	if c.Policy != nil {
		return c.Policy.rights(db)
	}
	if c.ID != "" && c.ID != db.ID || c.Group != "" && c.Group != db.org.Groups[db.Group].ID {
		return nil
	}
	if len(c.Permissions) > 0 {
		return engine.NewRights(c.readsOnly(), c.Permissions)
	}
	if c.readsOnly() {
		return readOnly
	}
	return engine.FullAccess
}

// readsOnly reports whether the claim a is one that does not write: roa may read
// what is attached, too.
func (c *claims) readsOnly() bool { return c.Access == "ro" || c.Access == "roa" }

var readOnly = engine.NewRights(true, nil)

// expired reports whether the token has ended, and not just now.
func (c *claims) expired(now time.Time) bool {
	return c.Expires != 0 && float64(now.Add(-leeway).Unix()) > c.Expires
}

// invalidated reports whether the role that the token was issued for was rotated
// since. A token without a role is judged by its age.
func (c *claims) invalidated(db *database) bool {
	r := db.role
	if c.Group != "" || c.Policy != nil {
		r = db.org.Groups[db.Group].role
	}
	if c.Role != "" {
		return c.Role != r.Role
	}
	return int64(c.IssuedAt) < r.Rotated
}
