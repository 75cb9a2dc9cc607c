package turso

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/fault"
)

var errInternal = &statusError{http.StatusInternalServerError, "internal server error"}

func (s *Server) errTooManyJWKS() error {
	return badRequest("jwks count limit(%d) exceeded", s.opts.JWKSLimit)
}

// registerJWKS adds or replaces a registration.
func (s *Server) registerJWKS(org *organization, name, jwksURL string) error {
	if name == "" {
		return badRequest("jwks name is required")
	}
	u, err := url.Parse(jwksURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return badRequest("invalid jwks url")
	}
	if s.opts.Faults.On(fault.JWKSStuck) || s.opts.Faults.On(fault.JWKSCountLimit) {
		return s.errTooManyJWKS()
	}
	if _, ok := org.JWKS[name]; !ok && len(org.JWKS) >= s.opts.JWKSLimit {
		return s.errTooManyJWKS()
	}
	org.JWKS[name] = jwksURL
	s.keys.forget(jwksURL)
	return s.save()
}

// stuckJWKS is what is listed while the fault is on: one more registration than
// the limit allows. The right one may well be among them.
func stuckJWKS(registered map[string]string, limit int) map[string]string {
	stuck := maps.Clone(registered)
	for _, name := range sortedKeys(registered) {
		if len(stuck) <= limit {
			stuck[name+" New"] = registered[name]
		}
	}
	for i := 0; len(stuck) <= limit; i++ {
		stuck[fmt.Sprintf("Clerk Production %d", i+1)] = "https://clerk.retired.example/.well-known/jwks.json"
	}
	return stuck
}

type jwksEntry struct {
	Name string `json:"jwks_name"`
	URL  string `json:"jwks_url"`
}

func (s *Server) listJWKS(c *call) (any, error) {
	registered := c.org.JWKS
	if s.opts.Faults.On(fault.JWKSStuck) {
		registered = stuckJWKS(registered, s.opts.JWKSLimit)
	}
	list := []jwksEntry{}
	for _, name := range sortedKeys(registered) {
		list = append(list, jwksEntry{name, registered[name]})
	}
	return map[string]any{"jwks": list}, nil
}

func (s *Server) saveJWKS(c *call) (any, error) {
	var body struct {
		URL    string `json:"jwks_url"`
		Region string `json:"region"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	return struct{}{}, s.registerJWKS(c.org, c.r.PathValue("name"), body.URL)
}

func (s *Server) removeJWKS(c *call) (any, error) {
	if s.opts.Faults.On(fault.JWKSStuck) || s.opts.Faults.On(fault.JWKSRemove500) {
		return nil, errInternal
	}
	name := c.r.PathValue("name")
	if _, ok := c.org.JWKS[name]; !ok {
		return nil, notFound("jwks %s not found", name)
	}
	delete(c.org.JWKS, name)
	return struct{}{}, s.save()
}

// jwksTemplate takes its options from the body of a GET.
func (s *Server) jwksTemplate(c *call) (any, error) {
	var body struct {
		Database    *string             `json:"database"`
		Group       *string             `json:"group"`
		Scope       string              `json:"scope"`
		Permissions []engine.Permission `json:"permissions"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	o := TokenOptions{Permissions: body.Permissions}
	switch body.Scope {
	case "", "full-access":
	case "read-only":
		o.ReadOnly = true
	default:
		return nil, badRequest("invalid scope: %s", body.Scope)
	}
	t := template(o)
	switch {
	case body.Database != nil:
		db, err := c.database(*body.Database)
		if err != nil {
			return nil, err
		}
		t["id"], t["rid"] = db.ID, db.Role
	case body.Group != nil:
		g, err := c.groupNamed(*body.Group)
		if err != nil {
			return nil, err
		}
		t["gid"], t["rid"] = g.ID, g.Role
	}
	return map[string]any{"template": t}, nil
}

var errNoGroup = &statusError{http.StatusNotFound, "group not found"}

func badRequest(format string, a ...any) error {
	return &statusError{http.StatusBadRequest, fmt.Sprintf(format, a...)}
}

func notFound(format string, a ...any) error {
	return &statusError{http.StatusNotFound, fmt.Sprintf(format, a...)}
}

// asStatus says how an error is answered.
func asStatus(err error) *statusError {
	var e *statusError
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, ErrExists):
		return &statusError{http.StatusConflict, err.Error()}
	case errors.Is(err, ErrNotFound):
		return &statusError{http.StatusNotFound, err.Error()}
	}
	return errInternal
}
