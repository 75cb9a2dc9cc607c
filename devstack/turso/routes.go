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
	plain := func(scope, pattern string, h handler) { mux.HandleFunc(pattern, s.serve(h, scope, false)) }
	inOrg := func(scope, method, path string, h handler) {
		mux.HandleFunc(method+" /v1/organizations/{org}"+path, s.serve(h, scope, true))
		mux.HandleFunc(method+" /v1"+path, s.serve(h, scope, true))
	}
	plain(scopeAny, "GET /v1/auth/validate", s.validate)
	plain(scopeAny, "GET /v1/current-user", s.currentUser)
	plain(scopeAny, "GET /v1/user", s.currentUser)
	plain(scopeAny, "GET /v1/organizations", s.listOrganizationsV1)
	plain(scopeAny, "GET /v2/organizations", s.listOrganizations)
	plain(scopeAny, "GET /v1/plans", s.listPlans)
	plain(scopeFull, "GET /v1/auth/api-tokens", s.listAPITokens)
	plain(scopeFull, "POST /v1/auth/api-tokens/{name}", s.newAPIToken)
	plain(scopeFull, "POST /v2/auth/api-tokens/{name}", s.newAPIToken)
	plain(scopeFull, "DELETE /v1/auth/api-tokens/{name}", s.revokeAPIToken)

	inOrg(scopeRead, "GET", "/usage", s.organizationUsage)
	inOrg(scopeRead, "GET", "/subscription", s.subscription)
	inOrg(scopeRead, "GET", "/groups", s.listGroups)
	inOrg(scopeRead, "GET", "/groups/{group}", s.getGroup)
	inOrg("group:configure", "POST", "/groups", s.newGroup)
	inOrg("group:configure", "DELETE", "/groups/{group}", s.deleteGroup)
	inOrg("group:mint-token", "POST", "/groups/{group}/auth/tokens", s.newGroupToken)
	inOrg("group:rotate-creds", "POST", "/groups/{group}/auth/rotate", s.rotateGroup)
	inOrg(scopeRead, "GET", "/databases", s.listDatabases)
	inOrg("db:create", "POST", "/databases", s.newDatabase)
	inOrg(scopeRead, "GET", "/databases/{db}", s.getDatabase)
	inOrg("db:delete", "DELETE", "/databases/{db}", s.deleteDatabase)
	inOrg(scopeRead, "GET", "/databases/{db}/configuration", s.configuration)
	inOrg("db:configure", "PATCH", "/databases/{db}/configuration", s.configure)
	inOrg(scopeRead, "GET", "/databases/{db}/instances", s.instances)
	inOrg(scopeRead, "GET", "/databases/{db}/usage", s.databaseUsage)
	inOrg("db:mint-token", "POST", "/databases/{db}/auth/tokens", s.newDatabaseToken)
	inOrg("db:rotate-creds", "POST", "/databases/{db}/auth/rotate", s.rotateDatabase)

	jwks := func(scope, pattern string, h handler) { mux.HandleFunc(pattern, s.serve(h, scope, true)) }
	jwks(scopeRead, "GET /v2/organizations/{org}/jwks", s.listJWKS)
	jwks(scopeFull, "PUT /v2/organizations/{org}/jwks/{name}", s.saveJWKS)
	jwks(scopeFull, "DELETE /v2/organizations/{org}/jwks/{name}", s.removeJWKS)
	jwks(scopeRead, "GET /v2/organizations/{org}/jwks-template", s.jwksTemplate)

	mux.HandleFunc("/", s.serve(func(*call) (any, error) { return nil, errPathNotFound }, scopeAny, false))
	return mux
}

// ServeHTTP serves the Platform API and the databases.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = collapse(r)
	a, ok := s.locate(r)
	switch {
	case !ok:
		s.api.ServeHTTP(w, r)
	case dbsync.Match(a.path) && r.Method != http.MethodOptions:
		s.sync.Serve(w, r, a.database, a.path)
	default:
		s.hrana.Serve(w, r, a.database, a.path)
	}
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
// Frontend API, with which it shares /v1. The hosts are those under localhost, the paths
//
//	/dbs/  /info  /export/  /sync/
//	/v1/auth/  /v1/current-user  /v1/user  /v1/plans  /v1/databases  /v1/groups  /v1/usage  /v1/subscription
//	GET /v1/organizations
//	/v1/organizations/SLUG/ unless SLUG starts with org_, as Clerk's ids do
//	/v2/organizations  /v2/auth/
func Match(r *http.Request) bool {
	if namespace(r) != "" {
		return true
	}
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	if len(parts) == 0 {
		return false
	}
	second := ""
	if len(parts) > 1 {
		second = parts[1]
	}
	switch parts[0] {
	case "dbs", "info", "export", "sync":
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
