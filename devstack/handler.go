package devstack

import (
	"net/http"
	"strings"

	"github.com/zen-auth/zen/devstack/app"
	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/netfault"
	"github.com/zen-auth/zen/devstack/oidc"
	"github.com/zen-auth/zen/devstack/page"
	"github.com/zen-auth/zen/devstack/turso"
)

// handler mounts everything on one port, at the root, as the turso CLI and Clerk's
// clients want it. The stack's own pages are neither recorded nor affected by faults,
// since they switch faults off.
func (s *Stack) handler(customer http.Handler) http.Handler {
	own := http.NewServeMux()
	own.Handle(adminPath, page.Loopback(adminHandler(s.Faults)))
	own.Handle("GET "+mailPath, page.Loopback(http.HandlerFunc(s.mailHandler)))
	pages := page.Handler(page.Options{Content: s.content, Switch: s.Faults.Switch})
	for _, pattern := range page.Patterns() {
		own.Handle(pattern, pages)
	}
	clients := s.clients(s.parts(customer), service)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := own.Handler(r); pattern != "" && !turso.MatchSignIn(r) {
			own.ServeHTTP(w, r)
			return
		}
		clients.ServeHTTP(w, r)
	})
}

// clients serves the clients on all addresses. The network faults apply between it and
// the recorder, which sees the outcome of a request.
func (s *Stack) clients(parts http.Handler, service func(*http.Request) string) http.Handler {
	return s.recorder.Record(netfault.Handler(parts, s.Faults, s.latency), service)
}

// parts is Clerk, the OpenID issuer, CI, Turso and the customer's app.
func (s *Stack) parts(customer http.Handler) http.Handler {
	rest := http.NewServeMux()
	rest.Handle(app.Pattern, customer)
	for _, pattern := range clerk.Patterns() {
		rest.Handle(pattern, s.Clerk.Handler())
	}
	if path := s.seed.Clerk.ProxyPath; path != "" {
		rest.Handle(path+"/", s.Clerk.Handler())
	}
	rest.Handle(oidc.Path+"/", s.OIDC.Handler())
	for _, pattern := range ci.Patterns() {
		rest.Handle(pattern, s.CI.Handler())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if turso.MatchSignIn(r) {
			s.Turso.SignIn(w, r)
			return
		}
		// Before the mux, which would redirect a path with // in it.
		if turso.Match(r) {
			s.Turso.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// service names the service that a request is for.
func service(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/dbs/"):
		return "Database"
	case turso.MatchSignIn(r):
		return "Turso"
	case turso.Match(r):
		return "Turso API"
	case strings.HasPrefix(path, clerk.BackendPrefix):
		return "Clerk Backend"
	case strings.HasPrefix(path, app.Pattern):
		return "App"
	case strings.HasPrefix(path, oidc.Path+"/"):
		return "OpenID"
	}
	for _, pattern := range ci.Patterns() {
		if strings.HasPrefix(r.URL.Path, pattern) {
			return "CI"
		}
	}
	return "Clerk"
}
