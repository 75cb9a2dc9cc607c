package turso

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/hrana"
)

// attaches reports whether the claims allow to attach a database, which is an
// access of its own: roa and rwa, but not rw, have it.
func (c *claims) attaches(db *database) bool {
	if p := c.Policy; p != nil {
		return p.ReadOnlyAttach.covers(db) || p.ReadWriteAttach.covers(db)
	}
	return c.Access == "roa" && len(c.Permissions) == 0 &&
		(c.ID == "" || c.ID == db.ID || c.ID == db.Name) && (c.Group == "" || c.Group == db.org.Groups[db.Group].ID)
}

// attaching adds to a token's rights which databases of the organization it may
// attach, by name or id.
func (s *Server) attaching(r *engine.Rights, c *claims, raw string, org *organization) *engine.Rights {
	if r == nil || c.Policy == nil && c.Access != "roa" {
		return r
	}
	hash := sha256.Sum256([]byte(raw))
	return r.Attaching(hex.EncodeToString(hash[:8]), func(name string) (*engine.DB, error) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		names := sortedKeys(org.Databases)
		i := slices.IndexFunc(names, func(n string) bool { return n == name || org.Databases[n].ID == name })
		if i < 0 || !c.attaches(org.Databases[names[i]]) {
			return nil, forbidden("Current session doesn't not have AttachRead permission to namespace " + name) // sic
		}
		db := org.Databases[names[i]]
		if !db.Config.AllowAttach {
			return nil, forbidden("Namespace `" + name + "` doesn't allow attach")
		}
		return db.open()
	})
}

func forbidden(text string) error {
	return &hrana.StatusError{Status: http.StatusForbidden, Origin: "*", Body: apiError{Error: "Authorization forbidden: " + text}}
}
