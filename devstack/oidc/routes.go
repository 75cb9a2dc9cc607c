package oidc

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

// maxBody bounds a request's body.
const maxBody = 64 << 10

func (i *Issuer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"/.well-known/openid-configuration", i.serveDiscovery)
	mux.HandleFunc("GET "+Path+"/keys", i.serveKeys)
	mux.HandleFunc("GET "+Path+"/authorize", i.authorize)
	mux.HandleFunc("POST "+Path+"/authorize", i.authorize)
	mux.Handle("POST "+Path+"/token", i.api(i.token))
	mux.Handle("POST "+Path+"/device_authorization", i.api(i.createDevice))
	mux.Handle("POST "+Path+"/revoke", i.api(i.revoke))
	mux.HandleFunc("GET "+Path+"/userinfo", i.serveUserinfo)
	mux.HandleFunc("POST "+Path+"/userinfo", i.serveUserinfo)
	i.pages(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.fault(FaultUnavailable) {
			http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

func (i *Issuer) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	base := i.Address()
	document := object{
		"issuer": base, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token", "userinfo_endpoint": base + "/userinfo",
		"jwks_uri": base + "/keys", "revocation_endpoint": base + "/revoke", "end_session_endpoint": base + "/logout",
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"}, "subject_types_supported": []string{"public"},
		"grant_types_supported":                          []string{grantCode, grantRefresh},
		"id_token_signing_alg_values_supported":          []string{"RS256"},
		"scopes_supported":                               supportedScopes,
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post", "none"},
		"claims_supported":                               []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "preferred_username", "email", "email_verified", "groups"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	if i.fault(FaultIssuerMismatch) {
		document["issuer"] = base + "/"
	}
	if !i.fault(FaultDeviceOff) {
		document["device_authorization_endpoint"] = base + "/device_authorization"
		document["grant_types_supported"] = []string{grantCode, grantRefresh, grantDevice}
	}
	i.writeJSON(w, http.StatusOK, document)
}

func (i *Issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	key := i.stranger
	if !i.fault(FaultKeyUnpublished) {
		key = i.signingKey
	}
	i.mu.Lock()
	published, err := key()
	i.mu.Unlock()
	if err != nil || i.fault(FaultJWKSUnavailable) {
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	i.writeJSON(w, http.StatusOK, object{"keys": []object{published.JWK()}})
}

// writeJSON writes a response, after 16 MiB of spaces if that fault is on.
func (i *Issuer) writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if i.fault(FaultHuge) {
		blank := []byte(strings.Repeat(" ", 1<<20))
		for range 16 {
			if _, err := w.Write(blank); err != nil {
				return // the client has disconnected
			}
		}
	}
	w.Write(encoded)
}

// oauthError is an error as the endpoints send it (RFC 6749, section 5.2).
type oauthError struct {
	status     int
	code, text string
}

func (e *oauthError) Error() string { return e.code + ": " + e.text }

func errOAuth(status int, code, text string) *oauthError { return &oauthError{status, code, text} }

// apiHandler answers a call; a nil object is an empty answer. It runs with the issuer
// locked, and knows the client already.
type apiHandler func(c *Client, form url.Values) (object, error)

func (i *Issuer) api(handle apiHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.fault(FaultRedirect) {
			// This is another host on the same computer: a client that follows sends the
			// form there.
			http.Redirect(w, r, strings.Replace(i.opts.BaseURL, "127.0.0.1", "localhost", 1)+r.URL.Path, http.StatusTemporaryRedirect)
			return
		}
		var body object
		err := error(errOAuth(400, "invalid_request", "The request body can't be read"))
		if r.ParseForm() == nil {
			i.mu.Lock()
			i.prune()
			var c *Client
			if c, err = i.authenticate(r); err == nil {
				body, err = handle(c, r.PostForm)
			}
			i.mu.Unlock()
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		var refused *oauthError
		switch {
		case errors.As(err, &refused):
			if refused.status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
			}
			i.writeJSON(w, refused.status, object{"error": refused.code, "error_description": refused.text})
		case err != nil:
			i.writeJSON(w, http.StatusInternalServerError, object{"error": "server_error"})
		case body == nil:
			w.WriteHeader(http.StatusOK)
		default:
			i.writeJSON(w, http.StatusOK, body)
		}
	})
}

// authenticate finds the client of a call and checks its secret, if it has one.
func (i *Issuer) authenticate(r *http.Request) (*Client, error) {
	id, secret := oauthserver.Credentials(r, r.PostForm)
	c := i.client(id)
	if c == nil || (c.Secret != "" && !random.Same(secret, c.Secret)) {
		return nil, errOAuth(401, "invalid_client", "Unknown client, or its secret is wrong")
	}
	return c, nil
}
