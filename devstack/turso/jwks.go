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

// elsewhere is a region that no database is in.
const elsewhere = "aws-us-east-1"

// regionOf returns the region of a registration, "" if it has none.
func (s *Server) regionOf(org *organization, name string) string {
	if org.Regions[name] == "" && s.opts.Faults.On(fault.JWKSRegion) {
		return elsewhere
	}
	return org.Regions[name]
}

// counting returns the URLs of the registrations that count for databases of the only region:
// those that name it, or none.
func (s *Server) counting(org *organization) []string {
	urls := make([]string, 0, len(org.JWKS))
	for _, name := range sortedKeys(org.JWKS) {
		if r := s.regionOf(org, name); r == "" || r == region {
			urls = append(urls, org.JWKS[name])
		}
	}
	return urls
}

// registerJWKS adds or replaces a registration.
func (s *Server) registerJWKS(org *organization, name, jwksURL, region string) error {
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
	if delete(org.Regions, name); region != "" {
		if org.Regions == nil {
			org.Regions = make(map[string]string)
		}
		org.Regions[name] = region
	}
	s.keys.forget(jwksURL)
	return s.save()
}

// stuckJWKS returns what is listed while the fault is on: one more registration than
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

// jwksEntry has the region that was sent by the name that it has there. The turso CLI
// sends one, and shows none: whether Turso lists it is not known.
type jwksEntry struct {
	Name   string `json:"jwks_name"`
	URL    string `json:"jwks_url"`
	Region string `json:"region,omitempty"`
}

func (s *Server) listJWKS(c *call) (any, error) {
	registered := c.org.JWKS
	if s.opts.Faults.On(fault.JWKSStuck) {
		registered = stuckJWKS(registered, s.opts.JWKSLimit)
	}
	list := []jwksEntry{}
	for _, name := range sortedKeys(registered) {
		list = append(list, jwksEntry{name, registered[name], s.regionOf(c.org, name)})
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
	return struct{}{}, s.registerJWKS(c.org, c.r.PathValue("name"), body.URL, body.Region)
}

// removeJWKS removes a registration of the region in the body, which is what the turso CLI
// sends it for. None means what was saved without one.
func (s *Server) removeJWKS(c *call) (any, error) {
	if s.opts.Faults.On(fault.JWKSStuck) || s.opts.Faults.On(fault.JWKSRemove500) {
		return nil, errInternal
	}
	var body struct {
		Region string `json:"region"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	name := c.r.PathValue("name")
	if _, ok := c.org.JWKS[name]; !ok || s.regionOf(c.org, name) != body.Region {
		return nil, notFound("jwks %s not found", name)
	}
	delete(c.org.JWKS, name)
	delete(c.org.Regions, name)
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
