package auth0

import (
	"net/http"
	"net/url"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
)

const stylePath = "/u/style.css"

func (t *Tenant) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", t.serveDiscovery)
	mux.HandleFunc("GET /.well-known/jwks.json", t.serveKeySet)
	mux.Handle("POST /oauth/token", t.api(t.token))
	mux.Handle("POST /oauth/device/code", t.api(t.createDevice))
	mux.Handle("POST /oauth/revoke", t.api(t.revoke))
	mux.HandleFunc("GET /userinfo", t.serveUserinfo)
	mux.HandleFunc("POST /userinfo", t.serveUserinfo)
	mux.HandleFunc("GET /authorize", t.authorize)
	mux.HandleFunc("POST /authorize", t.authorize)
	mux.HandleFunc("GET /activate", func(w http.ResponseWriter, r *http.Request) {
		portal.Redirect(w, activatePath+"?"+r.URL.RawQuery)
	})
	mux.HandleFunc("GET /oidc/logout", func(w http.ResponseWriter, r *http.Request) {
		portal.Redirect(w, logoutPath+"?"+r.URL.RawQuery)
	})
	mux.HandleFunc("GET /v2/logout", func(w http.ResponseWriter, r *http.Request) {
		portal.Redirect(w, logoutPath+"?v2=1&"+r.URL.RawQuery)
	})
	mux.Handle("/u/", t.pages())
	mux.Handle(managementPath, t.management())
	mux.Handle(myOrgPath, t.myOrganization())
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		oauthserver.WriteJSON(w, http.StatusNotFound, object{"statusCode": 404, "error": "Not Found", "message": "Not Found"})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t.fault(FaultUnavailable) {
			writeError(w, errUnavailable())
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// apiHandler answers an API call with a JSON body or an error; a nil body is an
// empty answer. It runs with the tenant locked.
type apiHandler func(r *http.Request, form url.Values) (object, error)

func (t *Tenant) api(handle apiHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, err := readForm(w, r)
		if err == nil && t.fault(FaultRateLimited) {
			err = t.errRateLimited()
		}
		var body object
		if err == nil {
			t.mu.Lock()
			t.prune()
			body, err = handle(r, form)
			t.mu.Unlock()
		}
		if t.fault(FaultAnswerLost) && r.URL.Path == "/oauth/token" {
			// The server's own way to cut a connection without an answer.
			panic(http.ErrAbortHandler)
		}
		if err != nil {
			writeError(w, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		if body == nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		oauthserver.WriteJSON(w, http.StatusOK, body)
	})
}

func (t *Tenant) errRateLimited() *oauthError {
	e := errOAuth(429, "too_many_requests", "Global limit has been reached")
	e.header = http.Header{"Retry-After": {"10"}, "X-Ratelimit-Limit": {"300"}, "X-Ratelimit-Remaining": {"0"},
		"X-Ratelimit-Reset": {unixText(t.now().Unix() + 10)}}
	return e
}

func (t *Tenant) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	base := t.BaseURL()
	oauthserver.WriteJSON(w, http.StatusOK, object{
		"issuer":                                           base + "/",
		"authorization_endpoint":                           base + "/authorize",
		"token_endpoint":                                   base + "/oauth/token",
		"device_authorization_endpoint":                    base + "/oauth/device/code",
		"userinfo_endpoint":                                base + "/userinfo",
		"jwks_uri":                                         base + "/.well-known/jwks.json",
		"revocation_endpoint":                              base + "/oauth/revoke",
		"end_session_endpoint":                             base + "/oidc/logout",
		"scopes_supported":                                 []string{"openid", "profile", "offline_access", "name", "given_name", "family_name", "nickname", "email", "email_verified", "picture", "created_at"},
		"response_types_supported":                         []string{"code"},
		"code_challenge_methods_supported":                 []string{"S256"},
		"response_modes_supported":                         []string{"query"},
		"grant_types_supported":                            []string{GrantCode, GrantRefresh, GrantDevice, GrantCredentials},
		"subject_types_supported":                          []string{"public"},
		"token_endpoint_auth_methods_supported":            []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "RS384", "PS256"},
		"claims_supported":                                 []string{"aud", "auth_time", "created_at", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss", "name", "nickname", "picture", "sub"},
		"request_uri_parameter_supported":                  false,
		"request_parameter_supported":                      false,
		"id_token_signing_alg_values_supported":            []string{"HS256", "RS256", "PS256"},
	})
}
