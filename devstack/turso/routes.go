package turso

import (
	"net/http"
	"strings"

	"github.com/zen-auth/zen/devstack/dbsync"
	"github.com/zen-auth/zen/devstack/fault"
)

// routes returns the endpoints of the Platform API. What is about an organization is
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
	plain(scopeAny, "GET /v1/locations", s.listLocations)
	plain(scopeAny, "GET /v1/locations/{location}", s.getLocation)
	plain(scopeFull, "POST /v1/organizations", s.newOrganization)
	plain(scopeFull, "POST /v1/auth/invalidate", s.invalidateSessions)
	plain(scopeFull, "GET /v1/auth/api-tokens", s.listAPITokens)
	plain(scopeFull, "POST /v1/auth/api-tokens/{name}", s.newAPIToken)
	plain(scopeFull, "POST /v2/auth/api-tokens/{name}", s.newAPIToken)
	plain(scopeAny, "DELETE /v1/auth/api-tokens/{name}", s.revokeAPIToken)

	inOrg(scopeRead, "GET", "/usage", s.organizationUsage)
	inOrg(scopeRead, "GET", "/subscription", s.subscription)
	inOrg(scopeRead, "GET", "/invoices", s.listInvoices)
	inOrg(scopeFull, "GET", "/audit-logs", s.listAudit)
	inOrg(scopeRead, "GET", "/members", s.listMembers)
	inOrg(scopeFull, "POST", "/members", s.addMember)
	inOrg(scopeRead, "GET", "/members/{member}", s.getMember)
	inOrg(scopeFull, "PATCH", "/members/{member}", s.updateMember)
	inOrg(scopeFull, "DELETE", "/members/{member}", s.removeMember)
	inOrg(scopeFull, "POST", "/invite", s.newInvite)
	inOrg(scopeFull, "GET", "/invites", s.listInvites)
	inOrg(scopeFull, "DELETE", "/invites/{email}", s.deleteInvite)
	inOrg(scopeFull, "GET", "/api-tokens", s.organizationTokens)
	inOrg(scopeFull, "DELETE", "/api-tokens/{token}", s.revokeOrganizationToken)
	inOrg(scopeRead, "GET", "/groups", s.listGroups)
	inOrg(scopeRead, "GET", "/groups/{group}", s.getGroup)
	inOrg("group:configure", "POST", "/groups", s.newGroup)
	inOrg("group:configure", "DELETE", "/groups/{group}", s.deleteGroup)
	inOrg(scopeRead, "GET", "/groups/{group}/configuration", s.groupConfiguration)
	inOrg("group:configure", "PATCH", "/groups/{group}/configuration", s.configureGroup)
	inOrg("group:configure", "POST", "/groups/{group}/rename", s.renameGroup)
	inOrg("group:configure", "POST", "/groups/{group}/unarchive", s.awaken)
	inOrg("group:configure", "POST", "/groups/{group}/update", s.awaken)
	inOrg("group:configure", "POST", "/groups/{group}/locations/{location}", s.addLocation)
	inOrg("group:configure", "DELETE", "/groups/{group}/locations/{location}", s.removeLocation)
	inOrg(scopeRead, "GET", "/groups/{group}/locations/{location}/wait", s.addLocation)
	inOrg(scopeFull, "POST", "/groups/{group}/transfer", s.lacks("transfers of groups"))
	inOrg(scopeFull, "GET", "/groups/{group}/aws/migration/info", s.lacks("migrations to AWS"))
	inOrg(scopeFull, "POST", "/groups/{group}/aws/migration/start", s.lacks("migrations to AWS"))
	inOrg(scopeFull, "POST", "/groups/{group}/aws/migration/abort", s.lacks("migrations to AWS"))
	inOrg("group:mint-token", "POST", "/groups/{group}/auth/tokens", s.newGroupToken)
	inOrg("group:rotate-creds", "POST", "/groups/{group}/auth/rotate", s.rotateGroup)
	inOrg(scopeRead, "GET", "/databases", s.listDatabases)
	inOrg("db:create", "POST", "/databases", s.newDatabase)
	inOrg(scopeRead, "GET", "/databases/{db}", s.getDatabase)
	inOrg("db:delete", "DELETE", "/databases/{db}", s.deleteDatabase)
	inOrg(scopeRead, "GET", "/databases/{db}/configuration", s.configuration)
	inOrg("db:configure", "PATCH", "/databases/{db}/configuration", s.configure)
	inOrg(scopeRead, "GET", "/databases/{db}/instances", s.instances)
	inOrg(scopeRead, "GET", "/databases/{db}/instances/{instance}", s.instance)
	inOrg(scopeRead, "GET", "/databases/{db}/usage", s.databaseUsage)
	inOrg(scopeRead, "GET", "/databases/{db}/usage/queries", s.databaseQueries)
	inOrg(scopeRead, "GET", "/databases/{db}/stats", s.databaseStats)
	inOrg("db:configure", "POST", "/databases/{db}/wakeup", s.wakeup)
	inOrg("db:configure", "POST", "/databases/{db}/update", s.wakeup)
	inOrg("db:create", "POST", "/databases/dumps", s.uploadDump)
	inOrg("db:create", "POST", "/databases/{db}/seed", s.lacks("uploads into a database that exists"))
	inOrg(scopeFull, "POST", "/databases/{db}/transfer", s.lacks("transfers of databases"))
	for _, method := range []string{"GET", "POST", "PUT"} {
		inOrg(scopeFull, method, "/billing/{what}", s.lacks("billing"))
	}
	plain(scopeFull, "POST /v1/organizations/stripe-customer", s.lacks("billing"))
	inOrg("db:mint-token", "POST", "/databases/{db}/auth/tokens", s.newDatabaseToken)
	inOrg("db:rotate-creds", "POST", "/databases/{db}/auth/rotate", s.rotateDatabase)

	organization := func(scope, pattern string, h handler) { mux.HandleFunc(pattern, s.serve(h, scope, true)) }
	organization(scopeRead, "GET /v1/organizations/{org}", s.getOrganization)
	organization(scopeFull, "PATCH /v1/organizations/{org}", s.updateOrganization)
	organization(scopeFull, "DELETE /v1/organizations/{org}", s.deleteOrganization)
	organization(scopeRead, "GET /v1/organizations/{org}/plans", s.listPlans)
	organization(scopeRead, "GET /v2/organizations/{org}/locations", s.organizationLocations)
	organization(scopeRead, "GET /v2/locations", s.organizationLocations)
	organization(scopeFull, "GET /v2/organizations/{org}/invites", s.listInvites)
	organization(scopeFull, "POST /v2/organizations/{org}/invites", s.newInvite)
	organization(scopeFull, "DELETE /v2/organizations/{org}/invites/{email}", s.deleteInvite)
	mux.HandleFunc("/v3/", s.serve(s.lacks("version 3 of the Platform API"), scopeAny, false))

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
	if isGRPC(r) {
		refuseGRPC(w, r)
		return
	}
	if s.opts.Faults.On(fault.ClockAhead) || s.opts.Faults.On(fault.ClockBehind) {
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	}
	r = collapse(r)
	a, ok := s.locate(r)
	switch {
	case !ok:
		s.api.ServeHTTP(w, r)
	case dbsync.Match(a.path):
		s.sync.Serve(w, r, a.database, a.path)
	default:
		s.hrana.Serve(w, r, a.database, a.path)
	}
}

// isGRPC recognizes the older protocol of embedded replicas, which libsql-server has.
func isGRPC(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// refuseGRPC answers UNIMPLEMENTED, in the headers alone.
func refuseGRPC(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Header().Set("Grpc-Status", "12")
	w.Header().Set("Grpc-Message", "the local stack lacks the older protocol of embedded replicas, which libsql-server has")
	w.WriteHeader(http.StatusOK)
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
//	/dbs/  /info  /export/  /sync/  /pull-updates
//	/v1/auth/  /v1/current-user  /v1/user  /v1/plans  /v1/databases  /v1/groups  /v1/usage  /v1/subscription
//	/v1/locations  /v1/members  /v1/invites  /v1/invoices  /v1/audit-logs  /v1/billing/  /v1/api-tokens
//	GET /v1/organizations, and POST of JSON with a bearer token, which Clerk's clients don't send
//	/v1/organizations/SLUG/ unless SLUG starts with org_, as Clerk's ids do
//	/v2/organizations  /v2/auth/  /v2/locations  /v3/organizations
func Match(r *http.Request) bool {
	if namespace(r) != "" || isGRPC(r) {
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
	case "dbs", "info", "export", "sync", "pull-updates":
		return true
	case "v2":
		return second == "organizations" || second == "auth" || second == "locations"
	case "v3":
		return second == "organizations"
	case "v1":
		switch second {
		case "auth", "current-user", "user", "plans", "databases", "groups", "usage", "subscription",
			"locations", "members", "invite", "invites", "invoices", "audit-logs", "billing", "api-tokens":
			return true
		case "organizations":
			if len(parts) == 2 {
				_, bearer := bearer(r)
				return r.Method == http.MethodGet || r.Method == http.MethodPost && bearer && r.Header.Get("Content-Type") == "application/json"
			}
			return !strings.HasPrefix(parts[2], "org_")
		}
	}
	return false
}

// Interface guards
var _ http.Handler = (*Server)(nil)
