package clerk

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zen-auth/zen/devstack/traffic"
)

// maxBody is the largest request body; the largest legitimate one is a ticket of 1 kB.
const maxBody = 64 << 10

// apiVersions are the dated versions that Clerk publishes.
var apiVersions = []string{
	"2021-02-05", "2024-10-01", "2025-03-12", "2025-04-10", "2025-11-10", "2026-05-12",
}

// call is one Frontend API request, read and authenticated.
type call struct {
	r      *http.Request
	form   url.Values
	json   params  // of the few paths that take JSON
	client *client // nil if the request has none and none was made yet
}

// frontendHandler answers a call with a JSON body or an error. It runs with the
// instance locked.
type frontendHandler func(inst *Instance, c *call) (any, error)

// frontendHandlers are the endpoints of the Frontend API.
var frontendHandlers = map[string]frontendHandler{
	"GET /v1/client":               getClient,
	"POST /v1/client":              createClient,
	"PUT /v1/client":               createClient,
	"DELETE /v1/client":            deleteClient,
	"POST /v1/client/sign_ins":     createSignIn,
	"GET /v1/client/sign_ins/{id}": getSignIn,
	"POST /v1/client/sign_ins/{id}/prepare_first_factor":  prepareFirstFactor,
	"POST /v1/client/sign_ins/{id}/attempt_first_factor":  attemptFirstFactor,
	"POST /v1/client/sign_ins/{id}/prepare_second_factor": prepareSecondFactor,
	"POST /v1/client/sign_ins/{id}/attempt_second_factor": attemptSecondFactor,
	"DELETE /v1/client/sessions":                          deleteClient,
	"GET /v1/client/sessions/{id}":                        getClientSession,
	"POST /v1/client/sessions/{id}/touch":                 touchSession,
	"POST /v1/client/sessions/{id}/end":                   endSession(statusEnded),
	"POST /v1/client/sessions/{id}/remove":                endSession(statusRemoved),
	"POST /v1/client/sessions/{id}/tokens":                createSessionToken,
	"POST /v1/client/sessions/{id}/tokens/{template}":     createTemplateToken,
	"GET /v1/me":                          getMe,
	"PATCH /v1/me":                        updateMe,
	"GET /v1/environment":                 getEnvironment,
	"GET /api_keys":                       listMyAPIKeys,
	"POST /api_keys":                      createMyAPIKey,
	"POST /api_keys/{id}/revoke":          revokeMyAPIKey,
	"GET /v1/me/organization_memberships": listMyMemberships,
	"GET /v1/me/organization_invitations": listMyInvitations,
	"POST /v1/me/organization_invitations/{invitation}/accept":              acceptMyInvitation,
	"POST /v1/organizations":                                                createMyOrganization,
	"GET /v1/organizations/{organization}":                                  getOrganization,
	"POST /v1/organizations/{organization}/invitations/bulk":                createInvitations,
	"GET /v1/organizations/{organization}/memberships":                      listMembers,
	"POST /v1/organizations/{organization}/memberships":                     createMember,
	"PATCH /v1/organizations/{organization}/memberships/{user}":             updateMember,
	"DELETE /v1/organizations/{organization}/memberships/{user}":            deleteMember,
	"GET /v1/organizations/{organization}/invitations":                      listInvitations,
	"POST /v1/organizations/{organization}/invitations":                     createInvitation,
	"GET /v1/organizations/{organization}/invitations/pending":              listPendingInvitations,
	"POST /v1/organizations/{organization}/invitations/{invitation}/revoke": revokeInvitation,
}

func (inst *Instance) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/jwks.json", inst.serveKeySet)
	for pattern, handle := range frontendHandlers {
		mux.Handle(pattern, inst.frontend(pattern, handle))
	}
	inst.oauthRoutes(mux)
	mux.Handle(backendRoot+"/", http.StripPrefix(backendRoot, inst.backendRoutes()))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeError(w, errURLNotFound()) })
	return inst.proxied(tunnelMethod(mux))
}

// proxied serves the root's paths below the proxy's path, too.
func (inst *Instance) proxied(next http.Handler) http.Handler {
	if inst.opts.ProxyPath == "" {
		return next
	}
	stripped := http.StripPrefix(inst.opts.ProxyPath, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, inst.opts.ProxyPath+"/") {
			stripped.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// tunnelMethod lets a POST stand for another method by _method in its query or
// form, as clerk-js sends everything that is neither GET nor POST.
func tunnelMethod(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if r.Method == http.MethodPost && isForm(r) {
			if err := r.ParseForm(); err != nil {
				writeError(w, bodyError(err, errMalformed()))
				return
			}
			if method := r.Form.Get("_method"); slices.Contains([]string{"GET", "PUT", "PATCH", "DELETE"}, method) {
				r.Method = method
			}
		}
		next.ServeHTTP(w, r)
	})
}

// isForm distinguishes a Frontend API body from the Backend API's JSON. A POST without a
// body may come without a type.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return (err == nil && kind == "application/x-www-form-urlencoded") || r.ContentLength == 0
}

// bodyError is otherwise, unless the body was too large.
func bodyError(err error, otherwise *apiError) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errBodyTooLarge()
	}
	return otherwise
}

// frontend wraps a handler in what every native call has in common: the version,
// the native flag, the client JWT in and out.
func (inst *Instance) frontend(pattern string, handle frontendHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := inst.admit(r); err != nil {
			writeError(w, err)
			return
		}
		// A body that tunnelMethod read is parsed already; another is read here, before
		// the lock, so that a slow one doesn't block others.
		if err := r.ParseForm(); err != nil {
			writeError(w, bodyError(err, errMalformed()))
			return
		}
		form, known := frontendForms[pattern]
		if known {
			ignored, err := form.check(r.Form)
			traffic.Ignore(w, ignored)
			if err != nil {
				writeError(w, err)
				return
			}
		}
		var fields params
		if r.Method != http.MethodGet && !isForm(r) {
			var err error
			if fields, err = readParams(r); err != nil {
				writeError(w, err)
				return
			}
		}
		body, clientJWT, err := inst.answer(handle, r, fields)
		// The client JWT is sent with errors, too, so that a device with an outdated one
		// learns the new one.
		if clientJWT != "" {
			w.Header().Set("Authorization", clientJWT)
		}
		w.Header().Set("Cache-Control", "no-store")
		if err != nil {
			writeError(w, err)
			return
		}
		writeAnswer(w, body)
	})
}

// admit refuses requests that should not reach a handler.
func (inst *Instance) admit(r *http.Request) error {
	if err := inst.weather(); err != nil {
		return err
	}
	query := r.URL.Query()
	if err := checkVersion(r.Header.Get("Clerk-API-Version"), query.Get("__clerk_api_version")); err != nil {
		return err
	}
	if native := query.Get("_is_native"); native != "1" && native != "true" {
		return errBrowserUnauthenticated()
	}
	if inst.opts.NativeAPIDisabled || inst.fault(FaultNativeDisabled) {
		return errNativeDisabled()
	}
	if r.Header.Get("Origin") != "" && r.Header.Get("Authorization") != "" {
		return errOriginConflict()
	}
	return nil
}

func checkVersion(header, query string) error {
	if header != "" && query != "" {
		return errVersion("set either the Clerk-API-Version header or the __clerk_api_version parameter")
	}
	if version := header + query; version != "" && !slices.Contains(apiVersions, version) {
		return errVersion("unknown version " + version)
	}
	return nil
}

// answer runs a handler with the lock held and returns the client JWT to send.
func (inst *Instance) answer(handle frontendHandler, r *http.Request, fields params) (body any, clientJWT string, err error) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.prune()
	c := &call{r: r, form: r.PostForm, json: fields}
	if err := inst.limitFrontend(r); err != nil {
		return nil, "", err
	}
	if c.client, err = inst.authenticate(r); err == nil {
		body, err = handle(inst, c)
	}
	if c.client != nil {
		clientJWT = c.client.currentJWT
	}
	return body, clientJWT, err
}

// origin returns the value for azp.
func (c *call) origin() string { return c.r.Header.Get("Origin") }
