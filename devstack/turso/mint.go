package turso

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/zen-auth/zen/devstack/engine"
)

// TokenOptions say what a database token is to allow. The zero value is full
// access that never ends, as it is Turso's.
type TokenOptions struct {
	ReadOnly    bool
	Lifetime    time.Duration // 0: never expires
	Permissions []engine.Permission
	readAttach  []string // ids of databases
}

// CreateDatabaseToken mints a token for one database.
func (s *Server) CreateDatabaseToken(org, name string, o TokenOptions) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	db, err := s.find(org, name)
	if err != nil {
		return "", fmt.Errorf("create database token: %w", err)
	}
	return s.mintDatabaseToken(db, o), nil
}

// Template returns the claims that a JWT of a registered issuer needs for a
// database, as `turso org jwks template` prints them.
func (s *Server) Template(org, name string, o TokenOptions) (map[string]any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	db, err := s.find(org, name)
	if err != nil {
		return nil, fmt.Errorf("jwks template: %w", err)
	}
	t := template(o)
	t["id"], t["rid"] = db.ID, db.Role
	return t, nil
}

func (s *Server) find(org, name string) (*database, error) {
	o := s.state.Organizations[org]
	if o == nil {
		return nil, fmt.Errorf("organization %q: %w", org, ErrNotFound)
	}
	db := o.Databases[name]
	if db == nil {
		return nil, fmt.Errorf("database %q: %w", name, ErrNotFound)
	}
	return db, nil
}

// template has what every template has; perm is there even when it is empty.
func template(o TokenOptions) map[string]any {
	perms := o.Permissions
	if perms == nil {
		perms = []engine.Permission{}
	}
	return map[string]any{"a": access(o.ReadOnly), "perm": perms}
}

func access(readOnly bool) string {
	if readOnly {
		return "ro"
	}
	return "rw"
}

func (s *Server) mintDatabaseToken(db *database, o TokenOptions) string {
	c := claims{Access: access(o.ReadOnly), ID: db.ID, Role: db.Role, Permissions: o.Permissions}
	if len(o.readAttach) > 0 {
		own := &scope{Namespaces: []string{db.ID}}
		c = claims{Policy: attachPolicy(o, own)}
	}
	return s.mint(c, o.Lifetime)
}

func (s *Server) mintGroupToken(g *group, o TokenOptions) string {
	c := claims{Access: access(o.ReadOnly), Group: g.ID, Role: g.Role, Permissions: o.Permissions}
	if len(o.readAttach) > 0 {
		c = claims{Policy: attachPolicy(o, &scope{Tags: []string{g.ID}})}
	}
	return s.mint(c, o.Lifetime)
}

// attachPolicy returns the claim of a token with the permission read_attach instead of
// the plain claims (tursodatabase/libsql#1581).
func attachPolicy(o TokenOptions, own *scope) *policy {
	p := &policy{ReadOnlyAttach: &scope{Namespaces: o.readAttach}}
	if o.ReadOnly {
		p.ReadOnly = own
	} else {
		p.ReadWrite = own
	}
	return p
}

func (s *Server) mint(c claims, lifetime time.Duration) string {
	now := s.now()
	c.IssuedAt = float64(now.Unix())
	if lifetime > 0 {
		c.Expires = float64(now.Add(lifetime).Unix())
	}
	return sign(s.state.DatabaseKey, tokenClaims{claims: c})
}

// tokenClaims makes claims what the JWT library signs. It asks them nothing.
type tokenClaims struct {
	claims
	jwt.Claims `json:"-"`
}

// sign returns a JWT with the header that Turso's have: without a kid.
func sign(key ed25519.PrivateKey, c jwt.Claims) string {
	token, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c).SignedString(key)
	if err != nil {
		panic(err) // an Ed25519 key signs anything that is JSON
	}
	return token
}

// APIToken is a token of the Platform API to create.
type APIToken struct {
	Name         string
	Organization string // slug; the token is good for it alone
	Group        string
	Scopes       []string
	Lifetime     time.Duration // 0: never expires
}

// CreateAPIToken mints a token with which a user may use the Platform API.
func (s *Server) CreateAPIToken(username string, t APIToken) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.state.Users[username]
	if u == nil {
		return "", fmt.Errorf("create api token: user %q: %w", username, ErrNotFound)
	}
	_, token, err := s.createAPIToken(u, t)
	return token, err
}

func (s *Server) createAPIToken(u *user, t APIToken) (*apiToken, string, error) {
	if t.Name == "" {
		return nil, "", errors.New("create api token: name is empty")
	}
	if u.Tokens[t.Name] != nil {
		return nil, "", fmt.Errorf("create api token %q: %w", t.Name, ErrExists)
	}
	now := s.now()
	rec := &apiToken{
		ID: uuid.NewString(), Name: t.Name, Organization: t.Organization, Group: t.Group, Scopes: t.Scopes,
		CreatedAt: now.UTC().Format(time.RFC3339),
	}
	u.Tokens[t.Name] = rec
	c := apiClaims{User: u.Name, Token: rec.ID}
	c.IssuedAt = jwt.NewNumericDate(now)
	if t.Lifetime > 0 {
		c.ExpiresAt = jwt.NewNumericDate(now.Add(t.Lifetime))
	}
	return rec, sign(s.state.APIKey, c), s.save()
}

// parseExpiration parses the lifetimes that the Platform API takes: "never" or
// numbers with the units w, d, h, m and s, as in 2w1d30m.
func parseExpiration(s string) (time.Duration, error) {
	if s == "" || s == "never" {
		return 0, nil
	}
	units := map[byte]time.Duration{'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}
	const longest = 100 * 365 * 24 * time.Hour
	var total time.Duration
	for s != "" {
		i := 0
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		if i == 0 || i > 9 || i == len(s) || units[s[i]] == 0 {
			return 0, errBadExpiration
		}
		n, err := strconv.ParseInt(s[:i], 10, 64)
		if err != nil || time.Duration(n) > longest/units[s[i]] {
			return 0, errBadExpiration
		}
		total += time.Duration(n) * units[s[i]]
		s = s[i+1:]
	}
	if total <= 0 || total > longest {
		return 0, errBadExpiration
	}
	return total, nil
}

var errBadExpiration = &statusError{http.StatusBadRequest, "Invalid expiration format"}
