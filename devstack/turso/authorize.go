package turso

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/hrana"
)

// backend is the server's interface to its databases.
type backend struct{ *Server }

// Authorize implements [hrana.Backend].
func (s backend) Authorize(r *http.Request, path string) (*engine.DB, *engine.Rights, error) {
	s.mu.RLock()
	db := s.paths[path]
	unnamed := path == "" && len(s.paths) > 0
	if unnamed {
		db = s.paths[sortedKeys(s.paths)[0]] // so that an invalid token is refused
	}
	s.mu.RUnlock()
	if db == nil {
		return nil, nil, noNamespace(path)
	}
	rights, err := s.authorize(r, db)
	if err != nil {
		s.opts.Logger.Info("token refused", "database", path, "reason", err)
		return nil, nil, s.refusal(err)
	}
	if unnamed {
		return nil, nil, errWhichDatabase
	}
	e, err := db.open()
	return e, rights, err
}

// syncBackend is the server's interface to replicas.
type syncBackend struct{ backend }

// Authorize implements [hrana.Backend].
func (s syncBackend) Authorize(r *http.Request, path string) (*engine.DB, *engine.Rights, error) {
	if s.opts.Faults.On(fault.PlainSqld) { // knows no such path
		return nil, nil, &hrana.StatusError{Status: http.StatusNotFound, Body: ""}
	}
	db, rights, err := s.backend.Authorize(r, path)
	if err == nil {
		err = s.syncFault()
	}
	return db, rights, err
}

// errWhichDatabase is the error if neither the URL nor the token names a database.
var errWhichDatabase = &hrana.StatusError{Status: http.StatusNotFound, Origin: "*", Body: apiError{
	Error: "the request names no database, and its token is not for a single one: end the URL of the database in a slash"}}

// authorize returns what the request's token allows in the database.
func (s *Server) authorize(r *http.Request, db *database) (*engine.Rights, error) {
	if s.opts.Faults.On(fault.PlainSqld) {
		return s.authorizeSqld(r, db)
	}
	raw, ok := bearer(r)
	if !ok {
		return nil, errNoToken
	}
	s.mu.RLock()
	own := s.state.DatabaseKey.Public().(ed25519.PublicKey)
	urls := s.counting(db.org)
	s.mu.RUnlock()

	key := grantKey{sha256.Sum256([]byte(raw)), db.ID}
	e := s.cache.get(key)
	if e == nil || !s.stillGood(e.grant, urls) {
		g, err := s.verify(r.Context(), raw, own, urls)
		if err != nil {
			return nil, err
		}
		e = &granted{grant: g, rights: s.attaching(g.claims.rights(db), &g.claims, raw, db.org)}
		s.cache.put(key, e)
	}
	c := &e.grant.claims
	if c.expired(s.now()) {
		return nil, errExpired
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case e.rights == nil, s.opts.Faults.On(fault.TokenNotAllowed):
		return nil, errNotAllowed
	case c.invalidated(db), s.opts.Faults.On(fault.TokenInvalidated):
		return nil, errInvalidated
	}
	return s.withinPlan(e.rights, db), nil
}

// stillGood reports whether a verified signature would be verified again: its key set is
// still registered, unchanged and not due to be fetched.
func (s *Server) stillGood(g *grant, urls []string) bool {
	if g.url == "" {
		return true
	}
	version, fresh := s.keys.version(g.url)
	return fresh && version == g.version && slices.Contains(urls, g.url) && !s.opts.Faults.On(fault.JWKSStuck)
}

// refusal returns the answer to a refused client. It has no CORS header, like Turso Cloud's, so
// that a browser reports a CORS failure instead.
func (s *Server) refusal(err error) error {
	var e *tokenError
	if !errors.As(err, &e) {
		return err // says by itself how it is answered
	}
	status := http.StatusBadRequest
	switch {
	case e.auth:
		status = http.StatusUnauthorized
	case e.soft:
		status = s.opts.JWTErrorStatus
		if s.opts.Faults.On(fault.ExpiredAs401) {
			status = http.StatusUnauthorized
		}
	}
	return &hrana.StatusError{Status: status, Body: apiError{Error: e.text}}
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "bearer") && token != ""
}

// grantCache remembers which tokens were verified, by their hash and the database.
type grantCache struct {
	mu      sync.RWMutex // guards entries
	entries map[grantKey]*granted
}

type grantKey struct {
	token    [sha256.Size]byte
	database string
}

type granted struct {
	grant  *grant
	rights *engine.Rights // nil: none
}

// maxGrants bounds the cache. It is emptied when it is full.
const maxGrants = 4096

func (c *grantCache) get(k grantKey) *granted {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.entries[k]
}

func (c *grantCache) put(k grantKey, e *granted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxGrants {
		c.entries = make(map[grantKey]*granted)
	}
	c.entries[k] = e
}

// Interface guards
var (
	_ hrana.Backend = backend{}
	_ hrana.Backend = syncBackend{}
)
