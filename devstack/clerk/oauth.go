package clerk

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

// DefaultOAuthClientID is the client id of the OAuth application that an instance
// has unless it names others: public, with a loopback redirect of any port.
const DefaultOAuthClientID = "zenDevClerkOAuth"

// DefaultOAuthApplications returns a public one for programs on the loopback.
func DefaultOAuthApplications() []OAuthApplication {
	return []OAuthApplication{{ClientID: DefaultOAuthClientID, Name: "zen", RedirectURIs: []string{"http://127.0.0.1/callback"}, DeviceGrant: true}}
}

// OAuthApplication is a client of the instance as an OAuth 2.0 provider.
type OAuthApplication struct {
	ID       string // oauthapp_…; default: random
	ClientID string // default: random
	Name     string
	// Secret makes it confidential; without one it must use PKCE.
	Secret string
	// RedirectURIs have to match exactly, except that http://127.0.0.1/PATH without a
	// port allows any port (RFC 8252, section 7.3).
	RedirectURIs []string
	// Scopes, default: openid profile email offline_access user:org:read.
	Scopes []string
	// OpaqueTokens makes access tokens oat_… instead of JWTs.
	OpaqueTokens bool
	// NoConsent leaves out the consent screen.
	NoConsent bool
	// DeviceGrant allows the device authorization grant, if the instance has it.
	DeviceGrant bool
	// PKCERequired demands PKCE of a confidential one, too.
	PKCERequired bool

	createdAt, updatedAt time.Time
	made                 bool // created by the Backend API, and so saved
}

// Lifetimes of what OAuth issues.
const (
	oauthAccessLifetime = 24 * time.Hour
	oauthCodeLifetime   = 10 * time.Minute
	idTokenLifetime     = 24 * time.Hour
)

const grantDevice = "urn:ietf:params:oauth:grant-type:device_code"

var defaultScopes = []string{"openid", "profile", "email", "offline_access", "user:org:read"}

// supportedScopes also has those that an application must be given.
var supportedScopes = []string{"openid", "profile", "email", "public_metadata", "private_metadata", "offline_access", "user:org:read"}

// oauthState is the part of an instance that OAuth needs; the instance's lock guards it.
type oauthState struct {
	applications  map[string]*OAuthApplication
	transactions  map[string]*oauthTransaction
	browsers      map[string]*portalBrowser
	codes         map[string]*oauthCode
	devices       map[string]*oauthDevice
	accessTokens  map[string]*oauthAccess  // by id
	refreshTokens map[string]*oauthRefresh // by token
}

func newOAuthState() oauthState {
	return oauthState{
		applications: map[string]*OAuthApplication{}, transactions: map[string]*oauthTransaction{}, browsers: map[string]*portalBrowser{},
		codes: map[string]*oauthCode{}, devices: map[string]*oauthDevice{},
		accessTokens: map[string]*oauthAccess{}, refreshTokens: map[string]*oauthRefresh{},
	}
}

// oauthGrant is a user's consent to an application.
type oauthGrant struct {
	application    *OAuthApplication
	user           *user
	scopes         []string
	nonce          string
	organizationID string
	// from is the sign-in's grant, if this one was made by a refresh.
	from *oauthGrant
}

// signIn returns the grant of the sign-in.
func (g *oauthGrant) signIn() *oauthGrant { return cmp.Or(g.from, g) }

func (g *oauthGrant) has(scope string) bool { return slices.Contains(g.scopes, scope) }

// AddOAuthApplication adds or replaces an application and returns its client id.
func (inst *Instance) AddOAuthApplication(a OAuthApplication) (string, error) {
	for _, address := range a.RedirectURIs {
		if !validRedirect(address) {
			return "", fmt.Errorf("clerk: add OAuth application %q: redirect URI %q: want an absolute URI without a fragment", a.Name, address)
		}
	}
	if a.ClientID == "" {
		a.ClientID = random.String(16)
	}
	a.Name = cmp.Or(a.Name, a.ClientID)
	if a.Scopes == nil {
		a.Scopes = defaultScopes
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if old := inst.oauth.applications[a.ClientID]; old != nil {
		a.ID, a.createdAt, a.updatedAt = old.ID, old.createdAt, inst.now()
		*old = a // its grants stay
	} else {
		inst.keepApplication(&a)
	}
	return a.ClientID, nil
}

func validRedirect(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme != "" && u.Fragment == ""
}

// keepApplication completes a new application.
func (inst *Instance) keepApplication(a *OAuthApplication) {
	if a.ID == "" {
		a.ID = newID("oauthapp")
	}
	a.createdAt = inst.now()
	a.updatedAt = a.createdAt
	inst.oauth.applications[a.ClientID] = a
}

// allows reports whether a redirect URI is one of the application's.
func (a *OAuthApplication) allows(redirectURI string) bool {
	return oauthserver.AllowsRedirect(a.RedirectURIs, redirectURI, "127.0.0.1")
}

func (inst *Instance) oauthRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", inst.serveMetadata)
	mux.HandleFunc("GET /.well-known/openid-configuration", inst.serveMetadata)
	mux.HandleFunc("GET /oauth/authorize", inst.oauthAuthorize)
	mux.HandleFunc("POST /oauth/authorize", inst.oauthAuthorize)
	mux.Handle("POST /oauth/token", inst.oauthAPI(oauthToken))
	mux.Handle("POST /oauth/token_info", inst.oauthAPI(oauthTokenInfo))
	mux.Handle("POST /oauth/token/revoke", inst.oauthAPI(oauthRevoke))
	mux.Handle("POST /oauth/device_authorization", inst.oauthAPI(oauthCreateDevice))
	mux.HandleFunc("GET /oauth/userinfo", inst.oauthUserinfo)
	mux.HandleFunc("POST /oauth/userinfo", inst.oauthUserinfo)
	mux.Handle(portalPath, inst.portalPages())
}

// oauthError is an error as the OAuth endpoints send it (RFC 6749, section 5.2).
type oauthError struct {
	status     int
	code, text string
}

func (e *oauthError) Error() string { return e.code + ": " + e.text }

func errOAuth(status int, code, text string) *oauthError { return &oauthError{status, code, text} }

// oauthHandler answers an OAuth call; a nil object is an empty answer. It runs
// with the instance locked.
type oauthHandler func(inst *Instance, r *http.Request) (object, error)

func (inst *Instance) oauthAPI(handle oauthHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := inst.weather()
		if err == nil {
			if parseErr := r.ParseForm(); parseErr != nil {
				err = errOAuth(400, "invalid_request", "The request body can't be read")
			}
		}
		var body object
		if err == nil {
			inst.mu.Lock()
			inst.prune()
			body, err = handle(inst, r)
			inst.mu.Unlock()
		}
		if inst.fault(FaultOAuthAnswerLost) && r.URL.Path == "/oauth/token" {
			// The server's own way to cut a connection without an answer.
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Cache-Control", "no-store")
		var refused *oauthError
		switch {
		case errors.As(err, &refused):
			oauthserver.WriteJSON(w, refused.status, object{"error": refused.code, "error_description": refused.text})
		case err != nil:
			writeError(w, err)
		case body == nil:
			w.WriteHeader(http.StatusOK)
		default:
			oauthserver.WriteJSON(w, http.StatusOK, body)
		}
	})
}

// oauthClient finds the application of a call and checks its secret, if it has one.
func (inst *Instance) oauthClient(r *http.Request) (*OAuthApplication, error) {
	id, secret := oauthserver.Credentials(r, r.PostForm)
	application := inst.oauth.applications[id]
	if application == nil || (application.Secret != "" && !random.Same(secret, application.Secret)) {
		return nil, errOAuth(401, "invalid_client", "Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method).")
	}
	return application, nil
}

// serveMetadata is both metadata documents: RFC 8414 and OpenID Connect Discovery.
func (inst *Instance) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	if err := inst.weather(); err != nil {
		writeError(w, err)
		return
	}
	base := inst.Issuer()
	grants := []string{"authorization_code", "refresh_token"}
	document := object{
		"issuer":                                base,
		"authorization_endpoint":                base + "/oauth/authorize",
		"token_endpoint":                        base + "/oauth/token",
		"revocation_endpoint":                   base + "/oauth/token/revoke",
		"introspection_endpoint":                base + "/oauth/token_info",
		"userinfo_endpoint":                     base + "/oauth/userinfo",
		"jwks_uri":                              base + "/.well-known/jwks.json",
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"subject_types_supported":               []string{"public"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
		"scopes_supported":                      supportedScopes,
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "email", "name", "org_id"},
		"code_challenge_methods_supported":      []string{"S256"},
	}
	if inst.opts.DeviceGrant && !inst.fault(FaultDeviceGrantOff) {
		document["device_authorization_endpoint"] = base + "/oauth/device_authorization"
		grants = append(grants, grantDevice)
	}
	document["grant_types_supported"] = grants
	w.Header().Set("Cache-Control", "public, max-age=300")
	oauthserver.WriteJSON(w, http.StatusOK, document)
}

// requestedScopes returns those of a scope parameter that the application has.
func requestedScopes(scope string, application *OAuthApplication) ([]string, error) {
	scope = cmp.Or(scope, "profile email")
	var scopes []string
	for _, s := range strings.Fields(scope) {
		if !slices.Contains(application.Scopes, s) {
			return nil, errOAuth(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed. The OAuth 2.0 Client is not allowed to request scope '"+s+"'.")
		}
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes, nil
}
