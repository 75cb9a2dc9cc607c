package clerk

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

// BackendPrefix is the path at which the Backend API is mounted, so that the root stays the
// Frontend API's. An SDK's base URL is the base URL of the instance and this;
// where it adds /v1 itself, as @clerk/backend does, it is this without /v1.
const BackendPrefix = backendRoot + "/v1"

const backendRoot = "/clerk-backend"

// backendHandler answers a Backend API request with a JSON body or an error. It
// runs with the instance locked; body is the request's JSON object, nil for GET.
type backendHandler func(inst *Instance, r *http.Request, body params) (any, error)

func (inst *Instance) backendRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/jwks", inst.secret(http.HandlerFunc(inst.serveKeySet)))
	for pattern, handle := range backendHandlers {
		method, path, _ := strings.Cut(pattern, " ")
		handler := inst.secret(inst.backend(pattern, handle))
		mux.Handle(method+" /v1"+path, handler)
		// Clerk's JavaScript SDK calls these without a version.
		if strings.HasPrefix(path, "/api_keys") || strings.HasPrefix(path, "/m2m_tokens") ||
			strings.HasPrefix(path, "/oauth_applications/access_tokens") {
			mux.Handle(method+" "+path, handler)
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeError(w, errURLNotFound()) })
	return mux
}

var backendHandlers = map[string]backendHandler{
	"POST /sign_in_tokens":             createTicket,
	"POST /sign_in_tokens/{id}/revoke": revokeTicket,

	"GET /sessions":                         listSessions,
	"POST /sessions":                        createSession,
	"GET /sessions/{id}":                    readSession,
	"POST /sessions/{id}/revoke":            revokeSession,
	"POST /sessions/{id}/tokens":            mintToken,
	"POST /sessions/{id}/tokens/{template}": mintToken,

	"GET /users":                               listUsers,
	"POST /users":                              createUser,
	"GET /users/count":                         countUsers,
	"GET /users/{id}":                          readUser,
	"PATCH /users/{id}":                        updateUser,
	"DELETE /users/{id}":                       deleteUser,
	"POST /users/{id}/ban":                     markUser(func(u *user) { u.Banned = true }, true),
	"POST /users/{id}/unban":                   markUser(func(u *user) { u.Banned = false }, false),
	"POST /users/{id}/lock":                    markUser(func(u *user) { u.Locked = true }, false),
	"POST /users/{id}/unlock":                  markUser(func(u *user) { u.Locked = false }, false),
	"PATCH /users/{id}/metadata":               updateMetadata,
	"GET /users/{id}/organization_memberships": userMemberships,

	"GET /organizations":                                                 listOrganizations,
	"POST /organizations":                                                createOrganization,
	"GET /organizations/{organization}":                                  readOrganization,
	"DELETE /organizations/{organization}":                               deleteOrganization,
	"GET /organizations/{organization}/memberships":                      backendMembers,
	"POST /organizations/{organization}/memberships":                     backendCreateMember,
	"PATCH /organizations/{organization}/memberships/{user}":             backendUpdateMember,
	"DELETE /organizations/{organization}/memberships/{user}":            backendDeleteMember,
	"GET /organizations/{organization}/invitations":                      backendInvitations,
	"POST /organizations/{organization}/invitations":                     backendCreateInvitation,
	"GET /organizations/{organization}/invitations/{invitation}":         backendReadInvitation,
	"POST /organizations/{organization}/invitations/{invitation}/revoke": backendRevokeInvitation,

	"GET /jwt_templates":         listTemplates,
	"POST /jwt_templates":        createTemplate,
	"GET /jwt_templates/{id}":    readTemplate,
	"PATCH /jwt_templates/{id}":  updateTemplate,
	"DELETE /jwt_templates/{id}": deleteTemplate,

	"GET /api_keys":              listAPIKeys,
	"POST /api_keys":             createAPIKey,
	"POST /api_keys/verify":      verifyAPIKey,
	"GET /api_keys/{id}":         readAPIKey,
	"DELETE /api_keys/{id}":      deleteAPIKey,
	"GET /api_keys/{id}/secret":  readAPIKeySecret,
	"POST /api_keys/{id}/revoke": revokeAPIKey,

	"GET /m2m_tokens":              listM2MTokens,
	"POST /m2m_tokens":             createM2MToken,
	"POST /m2m_tokens/verify":      verifyM2MToken,
	"POST /m2m_tokens/{id}/revoke": revokeM2MToken,

	"POST /oauth_applications/access_tokens/verify": verifyOAuthToken,

	"GET /oauth_applications":                     listApplications,
	"POST /oauth_applications":                    createApplication,
	"GET /oauth_applications/{id}":                readApplication,
	"PATCH /oauth_applications/{id}":              updateApplication,
	"DELETE /oauth_applications/{id}":             deleteApplication,
	"POST /oauth_applications/{id}/rotate_secret": rotateApplicationSecret,
	"POST /oauth_applications/{id}/revoke_token":  revokeApplicationToken,
}

// secret requires the secret key.
func (inst *Instance) secret(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " ")
		switch {
		case r.Header.Get("Authorization") == "":
			writeError(w, errAuthenticationInvalid())
		case !ok || !strings.EqualFold(scheme, "Bearer"):
			writeError(w, errAuthorizationFormat())
		case !random.Same(key, inst.opts.SecretKey) && !inst.isMachine(r):
			writeError(w, errSecretKeyInvalid())
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (inst *Instance) backend(route string, handle backendHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := inst.weather()
		if err == nil {
			err = checkVersion(r.Header.Get("Clerk-API-Version"), r.URL.Query().Get("__clerk_api_version"))
		}
		var body params
		if err == nil && r.Method != http.MethodGet {
			body, err = readParams(r)
		}
		if err == nil {
			err = lacking(route, r.URL.Query(), body)
		}
		var answer any
		if err == nil {
			inst.mu.Lock()
			inst.prune()
			if err = inst.limitBackend(); err == nil {
				answer, err = handle(inst, r, body)
			}
			inst.mu.Unlock()
		}
		if err != nil {
			writeError(w, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		writeAnswer(w, answer)
	})
}

// params are the fields of a request's JSON object.
type params map[string]json.RawMessage

// readParams reads a JSON object; no body at all is an empty one.
func readParams(r *http.Request) (params, error) {
	var p params
	dec := json.NewDecoder(r.Body)
	if err := dec.Decode(&p); err != nil {
		if r.ContentLength == 0 {
			return nil, nil
		}
		return nil, bodyError(err, errBody())
	}
	return p, nil
}

// only refuses fields that the endpoint does not know.
func (p params) only(names ...string) error {
	for name := range p {
		if !slices.Contains(names, name) {
			return errParamUnknown(name)
		}
	}
	return nil
}

// into decodes one field; it leaves v alone when the field is missing or null.
func (p params) into(name string, v any) error {
	raw, ok := p[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return errParamInvalid(name)
	}
	return nil
}

func createTicket(inst *Instance, _ *http.Request, body params) (any, error) {
	var (
		userID, organization string
		seconds              = int64(defaultTicketLifetime / time.Second)
	)
	for _, err := range []error{
		body.only("user_id", "org_id", "expires_in_seconds"),
		body.into("user_id", &userID),
		body.into("org_id", &organization),
		body.into("expires_in_seconds", &seconds),
	} {
		if err != nil {
			return nil, err
		}
	}
	switch {
	case userID == "":
		return nil, errParamMissing("user_id")
	case seconds < 1 || seconds > maxLifetimeSeconds:
		return nil, errParamInvalid("expires_in_seconds")
	}
	u := inst.userByID(userID)
	if u == nil {
		return nil, errNotFound()
	}
	if organization != "" {
		switch {
		case inst.organization(organization) == nil:
			return nil, errOrganizationNotFound()
		case u.membership(organization) == nil:
			return nil, errNotMember()
		}
	}
	t, err := inst.newTicket(u, organization, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return ticketView(t, true), nil
}

func revokeTicket(inst *Instance, r *http.Request, _ params) (any, error) {
	t := inst.tickets[r.PathValue("id")]
	if t == nil {
		return nil, errNotFound()
	}
	if t.status != ticketPending {
		return nil, errTicketNotPending(t.status)
	}
	t.status, t.updatedAt = ticketRevoked, inst.now()
	return ticketView(t, false), nil
}
