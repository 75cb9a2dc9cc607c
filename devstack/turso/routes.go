package turso

import (
	"net/http"
	"strings"

	"github.com/zen-auth/zen/devstack/dbsync"
)

// routes are the endpoints of the Platform API. What is about an organization is
// at /v1/organizations/ORG/..., and at /v1/... for the caller's own.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	plain := func(pattern string, h handler) { mux.HandleFunc(pattern, s.serve(h, false)) }
	inOrg := func(method, path string, h handler) {
		mux.HandleFunc(method+" /v1/organizations/{org}"+path, s.serve(h, true))
		mux.HandleFunc(method+" /v1"+path, s.serve(h, true))
	}
	plain("GET /v1/auth/validate", s.validate)
	plain("GET /v1/current-user", s.currentUser)
	plain("GET /v1/user", s.currentUser)
	plain("GET /v1/organizations", s.listOrganizationsV1)
	plain("GET /v2/organizations", s.listOrganizations)
	plain("GET /v1/auth/api-tokens", s.listAPITokens)
	plain("POST /v1/auth/api-tokens/{name}", s.newAPIToken)
	plain("POST /v2/auth/api-tokens/{name}", s.newAPIToken)
	plain("DELETE /v1/auth/api-tokens/{name}", s.revokeAPIToken)
	plain("GET /v1/plans", s.listPlans)

	inOrg("GET", "/usage", s.organizationUsage)
	inOrg("GET", "/subscription", s.subscription)
	inOrg("GET", "/groups", s.listGroups)
	inOrg("GET", "/groups/{group}", s.getGroup)
	inOrg("POST", "/groups/{group}/auth/tokens", s.newGroupToken)
	inOrg("POST", "/groups/{group}/auth/rotate", s.rotateGroup)
	inOrg("GET", "/databases", s.listDatabases)
	inOrg("POST", "/databases", s.newDatabase)
	inOrg("GET", "/databases/{db}", s.getDatabase)
	inOrg("DELETE", "/databases/{db}", s.deleteDatabase)
	inOrg("GET", "/databases/{db}/configuration", s.configuration)
	inOrg("GET", "/databases/{db}/instances", s.instances)
	inOrg("GET", "/databases/{db}/usage", s.databaseUsage)
	inOrg("POST", "/databases/{db}/auth/tokens", s.newDatabaseToken)
	inOrg("POST", "/databases/{db}/auth/rotate", s.rotateDatabase)

	jwks := func(pattern string, h handler) { mux.HandleFunc(pattern, s.serve(h, true)) }
	jwks("GET /v2/organizations/{org}/jwks", s.listJWKS)
	jwks("PUT /v2/organizations/{org}/jwks/{name}", s.saveJWKS)
	jwks("DELETE /v2/organizations/{org}/jwks/{name}", s.removeJWKS)
	jwks("GET /v2/organizations/{org}/jwks-template", s.jwksTemplate)

	mux.HandleFunc("/", s.serve(func(*call) (any, error) { return nil, errPathNotFound }, false))
	return mux
}

// ServeHTTP serves the Platform API and the databases.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = collapse(r)
	if rest, ok := strings.CutPrefix(r.URL.Path, "/dbs/"); ok {
		name, path, _ := strings.Cut(rest, "/")
		path = "/" + path
		if dbsync.Match(path) && r.Method != http.MethodOptions {
			s.sync.Serve(w, r, name, path)
			return
		}
		s.hrana.Serve(w, r, name, path)
		return
	}
	s.api.ServeHTTP(w, r)
}

// collapse makes one slash of several in the path. With a URL that ends in one,
// go-libsql asks for //info and the like, and does not follow the redirect that
// http.ServeMux would answer.
func collapse(r *http.Request) *http.Request {
	if !strings.Contains(r.URL.Path, "//") {
		return r
	}
	u := *r.URL
	for strings.Contains(u.Path, "//") {
		u.Path = strings.ReplaceAll(u.Path, "//", "/")
		u.RawPath = strings.ReplaceAll(u.RawPath, "//", "/")
	}
	c := *r
	c.URL = &u
	return &c
}

// Match reports whether a request at the root is for Turso rather than for Clerk's
// Frontend API, with which it shares /v1. The paths are
//
//	/dbs/
//	/v1/auth/  /v1/current-user  /v1/user  /v1/plans  /v1/databases  /v1/groups  /v1/usage  /v1/subscription
//	GET /v1/organizations
//	/v1/organizations/SLUG/ unless SLUG starts with org_, as Clerk's ids do
//	/v2/organizations  /v2/auth/
func Match(r *http.Request) bool {
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	if len(parts) == 0 {
		return false
	}
	second := ""
	if len(parts) > 1 {
		second = parts[1]
	}
	switch parts[0] {
	case "dbs":
		return true
	case "v2":
		return second == "organizations" || second == "auth"
	case "v1":
		switch second {
		case "auth", "current-user", "user", "plans", "databases", "groups", "usage", "subscription":
			return true
		case "organizations":
			if len(parts) == 2 {
				return r.Method == http.MethodGet
			}
			return !strings.HasPrefix(parts[2], "org_")
		}
	}
	return false
}

// Interface guards
var _ http.Handler = (*Server)(nil)
