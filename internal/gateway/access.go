package gateway

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// hostAllowed looks at the Host header, not at where the request came in: a page
// whose name was rebound to the loopback still sends its own name.
func (h *Handler) hostAllowed(host string) bool {
	if h.config.Open {
		return true // a Unix socket's clients make a name up
	}
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.Trim(name, "[]")
	if provider.IsLoopback(name) {
		return true
	}
	return slices.ContainsFunc(h.config.Hosts, func(allowed string) bool {
		return allowed == "*" || strings.EqualFold(allowed, name) || strings.EqualFold(allowed, host)
	})
}

// bearerWanted answers to another token.
const bearerWanted = "this gateway takes its own bearer, which it made when it started, and no other token"

// bearerShown compares in constant time.
func (h *Handler) bearerShown(r *http.Request) bool {
	if h.config.Open {
		return true
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && h.config.Bearer.Equal(provider.NewSecret(strings.TrimSpace(value)))
}

// corsHeaders are the headers that a page's client may send.
const corsHeaders = "authorization, content-type, x-libsql-client-version, x-turso-encryption-key, x-turso-encryption-cipher"

// cors answers preflights, and refuses a page that isn't on the list: also a request
// that a browser sends without asking first (a form's POST) has an Origin.
func (h *Handler) cors(x *exchange, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	x.Header().Add("Vary", "Origin")
	if !slices.Contains(h.config.Origins, origin) {
		x.refuse(http.StatusForbidden, "ORIGIN_NOT_ALLOWED", "pages of "+short(origin)+" may not use this gateway")
		return true
	}
	x.Header().Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	x.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	x.Header().Set("Access-Control-Allow-Headers", corsHeaders)
	x.Header().Set("Access-Control-Max-Age", "600")
	// https://wicg.github.io/private-network-access/
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		x.Header().Set("Access-Control-Allow-Private-Network", "true")
	}
	x.WriteHeader(http.StatusNoContent)
	return true
}
