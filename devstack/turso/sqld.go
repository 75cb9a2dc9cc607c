package turso

import (
	"crypto/ed25519"
	"math"
	"net/http"
	"strings"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/hrana"
)

// Texts of libsql-server/src/auth/errors.rs.
const (
	sqldNoHeader  = "Expected authorization header but none given"
	sqldMalformed = "Auth string does not conform to '<scheme> <token>' form"
	sqldScheme    = "The authentication scheme in the `Authorization` HTTP header is not supported"
	sqldInvalid   = "The JWT is invalid"
	sqldExpired   = "The JWT has expired"
	sqldFailed    = "Authentication failed"
)

func sqldUnauthorized(text string) error {
	return &hrana.StatusError{Status: http.StatusUnauthorized, Body: apiError{Error: "Unauthorized: `" + text + "`"}, Origin: "*"}
}

// authorizeSqld decides as libsql-server does on its own: it knows one EdDSA key,
// the claims id, a, p and exp, and refuses every token that has an aud, since it
// expects none (jsonwebtoken 9).
func (s *Server) authorizeSqld(r *http.Request, db *database) (*engine.Rights, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, sqldUnauthorized(sqldNoHeader)
	}
	scheme, raw, ok := strings.Cut(header, " ")
	if !ok {
		return nil, sqldUnauthorized(sqldMalformed)
	}
	if !strings.EqualFold(scheme, "bearer") {
		return nil, sqldUnauthorized(sqldScheme)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, err := parseToken(raw)
	if err != nil || t.claims.Expires != math.Trunc(t.claims.Expires) {
		return nil, sqldUnauthorized(sqldInvalid)
	}
	own := publicKey{alg: "EdDSA", key: s.state.DatabaseKey.Public().(ed25519.PublicKey)}
	if _, ok := t.signedBy(own); !ok {
		return nil, sqldUnauthorized(sqldInvalid)
	}
	if t.claims.expired(s.now()) {
		return nil, sqldUnauthorized(sqldExpired)
	}
	if t.claims.Audience != nil {
		return nil, sqldUnauthorized(sqldFailed)
	}
	rights := t.claims.sqldRights(db)
	if rights == nil {
		return nil, noNamespace(db.Path)
	}
	return s.attaching(rights, &t.claims, raw, db.org), nil
}

// sqldRights returns what libsql-server sees in the claims: perm, gid and rid mean
// nothing to it, a database is called by its name.
func (c *claims) sqldRights(db *database) *engine.Rights {
	rights := engine.FullAccess
	switch {
	case c.Policy != nil:
		rights = c.Policy.rights(db)
	case c.ID != "" && c.ID != db.ID && c.ID != db.Name:
		return nil
	case c.readsOnly():
		rights = readOnly
	}
	if rights == readOnly {
		return readOnly.Refusing(forbidden("Current session doesn't not have Write permission to namespace "+db.Path), nil) // sic
	}
	return rights
}

func noNamespace(path string) error {
	return &hrana.StatusError{Status: http.StatusNotFound, Body: apiError{Error: "Namespace `" + path + "` doesn't exist"}, Origin: "*"}
}
