package turso

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/fault"
)

// call is a request to the Platform API, from a user who was recognized.
type call struct {
	r     *http.Request
	body  []byte
	user  *user
	token *apiToken
	exp   int64         // of the token, Unix seconds; -1 if it has none
	org   *organization // nil if the path is about none
	host  string        // where clients reach the server
	now   time.Time
}

// handler answers a call with what is sent as JSON. It runs with the server
// locked, so that it sees and leaves a consistent state.
type handler func(*call) (any, error)

// apiError is the body of every error.
type apiError struct {
	Error string `json:"error"`
	Code  string `json:"code,omitempty"`
}

type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

var (
	errBadToken     = &statusError{http.StatusUnauthorized, "invalid api token"}
	errDBToken      = &statusError{http.StatusUnauthorized, "could not parse jwt id"}
	errNotMember    = &statusError{http.StatusForbidden, "user is not a member of the organization"}
	errNoOrg        = &statusError{http.StatusNotFound, "organization not found"}
	errInvalidBody  = &statusError{http.StatusBadRequest, "invalid request body"}
	errPathNotFound = &statusError{http.StatusNotFound, "not found"}
)

// maxAPIBody bounds the body of a call, in bytes.
const maxAPIBody = 1 << 20

// decode decodes the body, whatever the method: the turso CLI sends one with GET
// and DELETE too. An empty body leaves v as it is.
func (c *call) decode(v any) error {
	if len(c.body) > 0 && json.Unmarshal(c.body, v) != nil {
		return errInvalidBody
	}
	return nil
}

// database finds a database of the call's organization.
func (c *call) database(name string) (*database, error) {
	db := c.org.Databases[name]
	if db == nil || !c.token.sees(db.Group) {
		return nil, notFound("could not find database with name [%s]: record not found", name)
	}
	return db, nil
}

// serve makes an HTTP handler of h, for tokens with the scope. With inOrg the call is
// about the organization in the path, or about the user's own one if the path has none.
func (s *Server) serve(h handler, scope string, inOrg bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := s.do(r, h, scope, inOrg)
		status := http.StatusOK
		if err != nil {
			e := asStatus(err)
			if e == errInternal {
				s.opts.Logger.Error("api", "method", r.Method, "path", r.URL.Path, "error", err)
			}
			status, answer = e.status, apiError{Error: e.text}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer) // the client is gone
	}
}

func (s *Server) do(r *http.Request, h handler, scope string, inOrg bool) (any, error) {
	if s.opts.Faults.On(fault.APIDown) {
		return nil, errInternal
	}
	// The body is read first: a slow client must not hold the lock.
	limit := bodyLimit(r)
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil || int64(len(body)) > limit {
		return nil, errInvalidBody
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.identify(r)
	if err != nil {
		return nil, err
	}
	c.body, c.now = body, s.now()
	if c.host = s.host; c.host == "" {
		c.host = r.Host
	}
	if inOrg {
		if c.org, err = s.organizationOf(c); err != nil {
			return nil, err
		}
	}
	if err := c.token.may(scope); err != nil {
		return nil, err
	}
	return h(c)
}

// apiClaims are the claims of a token of the Platform API.
type apiClaims struct {
	User  string `json:"uid"`
	Token string `json:"id"`
	jwt.RegisteredClaims
}

// identify finds out whose token the request has.
func (s *Server) identify(r *http.Request) (*call, error) {
	raw, ok := bearer(r)
	if !ok || s.opts.Faults.On(fault.APIUnauthorized) {
		return nil, errBadToken
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithTimeFunc(s.now))
	var c apiClaims
	_, err := parser.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) {
		return s.state.APIKey.Public().(ed25519.PublicKey), nil
	})
	if err != nil {
		if errors.Is(err, jwt.ErrTokenSignatureInvalid) && s.isDatabaseToken(raw) {
			return nil, errDBToken
		}
		return nil, errBadToken
	}
	u := s.state.Users[c.User]
	if u == nil {
		return nil, errBadToken
	}
	exp := int64(-1)
	if c.ExpiresAt != nil {
		exp = c.ExpiresAt.Unix()
	}
	for _, t := range u.Tokens {
		if t.ID == c.Token {
			return &call{r: r, user: u, token: t, exp: exp}, nil
		}
	}
	return nil, errBadToken // revoked
}

func (s *Server) isDatabaseToken(raw string) bool {
	t, err := parseToken(raw)
	if err != nil {
		return false
	}
	_, ok := t.signedBy(publicKey{alg: "EdDSA", key: s.state.DatabaseKey.Public()})
	return ok
}

func (s *Server) organizationOf(c *call) (*organization, error) {
	slug := c.r.PathValue("org")
	if s.opts.Faults.On(fault.APINotMember) {
		return nil, errNotMember
	}
	if slug == "" {
		return s.personal(c.user)
	}
	org := s.state.Organizations[slug]
	if org == nil {
		return nil, errNoOrg
	}
	if org.Members[c.user.Name] == "" || c.token.Organization != "" && c.token.Organization != slug {
		return nil, errNotMember // 403 makes the turso CLI forget its organization: for nothing else
	}
	return org, nil
}

// personal returns the organization that every user has for their own account. It is made
// when it is first asked for.
func (s *Server) personal(u *user) (*organization, error) {
	for _, slug := range sortedKeys(s.state.Organizations) {
		if org := s.state.Organizations[slug]; org.Personal && org.Members[u.Name] != "" {
			return org, nil
		}
	}
	slug := u.Name
	if s.state.Organizations[slug] != nil {
		slug += "-personal"
	}
	return s.createOrganization(Organization{Slug: slug, Name: "personal", Personal: true, Members: []string{u.Name}})
}
