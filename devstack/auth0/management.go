package auth0

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

const managementPath = "/api/v2/"

// ManagementToken returns a token of the Management API that allows everything that the
// stand-in supports, like one from the dashboard's API Explorer, or only the given
// scopes.
func (t *Tenant) ManagementToken(scopes ...string) (string, error) {
	if scopes == nil {
		scopes = strings.Fields("read:clients update:clients create:client_grants read:actions create:actions update:actions")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	return t.keys.sign(nil, map[string]any{
		"iss": t.issuer(), "sub": explorerClientID + "@clients", "aud": t.baseURL + managementPath, "azp": explorerClientID,
		"iat": now.Unix(), "exp": now.Add(DefaultTokenLifetime).Unix(), "gty": "client-credentials", "scope": strings.Join(scopes, " "),
	})
}

// explorerClientID is the application that Auth0 makes for its API Explorer.
const explorerClientID = "zenDevApiExplorerApplication0001"

// managementError is an error of the Management API.
type managementError struct {
	status        int
	code, message string
}

func (e *managementError) Error() string { return e.message }

func (t *Tenant) management() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern, scope string, h func(r *http.Request) (status int, body any, err error)) {
		mux.Handle(pattern, t.managed(scope, h))
	}
	handle("GET /api/v2/clients/{id}", "read:clients", t.readClient)
	handle("PATCH /api/v2/clients/{id}", "update:clients", t.changeClient)
	handle("POST /api/v2/client-grants", "create:client_grants", t.createClientGrant)
	handle("GET /api/v2/actions/actions", "read:actions", t.listActions)
	handle("POST /api/v2/actions/actions", "create:actions", t.createAction)
	handle("GET /api/v2/actions/actions/{id}", "read:actions", t.readAction)
	handle("PATCH /api/v2/actions/actions/{id}", "update:actions", t.changeAction)
	handle("POST /api/v2/actions/actions/{id}/deploy", "create:actions", t.deployAction)
	handle("GET /api/v2/actions/triggers", "read:actions", t.listTriggers)
	handle("GET /api/v2/actions/triggers/{trigger}/bindings", "read:actions", t.listBindings)
	handle("PATCH /api/v2/actions/triggers/{trigger}/bindings", "update:actions", t.changeBindings)
	mux.Handle("/", t.managed("", func(r *http.Request) (int, any, error) {
		return 0, nil, &managementError{http.StatusNotImplemented, "not_implemented", "the local stack lacks " + r.Method + " " + r.URL.Path}
	}))
	return mux
}

// managed runs a handler with the tenant locked, for a token that has the scope.
func (t *Tenant) managed(scope string, handle func(r *http.Request) (int, any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		t.mu.Lock()
		err := t.allowed(r.Header.Get("Authorization"), scope)
		limited := err == nil && t.fault(FaultRateLimited)
		var status int
		var body any
		if err == nil && !limited {
			status, body, err = handle(r)
		}
		t.mu.Unlock()
		if limited {
			maps.Copy(w.Header(), t.errRateLimited().header)
			err = &managementError{http.StatusTooManyRequests, "too_many_requests", "Global limit has been reached"}
		}
		if err != nil {
			e := &managementError{http.StatusBadRequest, "invalid_body", "Payload validation error: " + err.Error()}
			errors.As(err, &e)
			oauthserver.WriteJSON(w, e.status, object{"statusCode": e.status, "error": http.StatusText(e.status), "message": e.message, "errorCode": e.code})
			return
		}
		oauthserver.WriteJSON(w, status, body)
	})
}

// allowed checks a request's token.
func (t *Tenant) allowed(authorization, scope string) error {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return &managementError{http.StatusUnauthorized, "missing_authorization", "Missing authentication"}
	}
	claims, err := t.verify(token)
	expires, _ := claims["exp"].(float64)
	switch {
	case err != nil:
		return &managementError{http.StatusUnauthorized, "invalid_token", "Invalid token"}
	case t.now().Unix() >= int64(expires):
		return &managementError{http.StatusUnauthorized, "invalid_token", "Expired token received for JSON Web Token validation"}
	case !isFor(claims, t.baseURL+managementPath):
		return &managementError{http.StatusUnauthorized, "invalid_token", "Bad audience: " + text(claims["aud"])}
	case scope != "" && !slices.Contains(strings.Fields(text(claims["scope"])), scope):
		return &managementError{http.StatusForbidden, "insufficient_scope", "Insufficient scope, expected any of: " + scope}
	}
	return nil
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

func (t *Tenant) client(id string) (*Application, error) {
	if a := t.applications[id]; a != nil {
		return a, nil
	}
	return nil, &managementError{http.StatusNotFound, "inexistent_client", "The client does not exist"}
}

func (t *Tenant) readClient(r *http.Request) (int, any, error) {
	a, err := t.client(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	view := t.clientView(a)
	if fields := r.URL.Query().Get("fields"); fields != "" {
		named := strings.Split(fields, ",")
		for name := range view {
			if slices.Contains(named, name) == (r.URL.Query().Get("include_fields") == "false") {
				delete(view, name)
			}
		}
	}
	return http.StatusOK, view, nil
}

// clientView returns an application without what an active fault hides.
func (t *Tenant) clientView(a *Application) object {
	return object{
		"client_id": a.ClientID, "name": a.Name, "callbacks": t.callbacks(a), "allowed_logout_urls": a.LogoutURLs,
		"grant_types": t.grantTypes(a), "organization_usage": a.Organizations, "is_first_party": true, "oidc_conformant": true,
	}
}

// changed records which fields of an application the Management API has written. A fault
// hides only what was there before.
type changed struct{ callbacks, grantTypes, grants bool }

func (t *Tenant) callbacks(a *Application) []string {
	if t.fault(FaultCallbackMismatch) && !a.changed.callbacks {
		return []string{}
	}
	return a.Callbacks
}

func (t *Tenant) grantTypes(a *Application) []string {
	if t.fault(FaultDeviceOff) && !a.changed.grantTypes {
		return slices.DeleteFunc(slices.Clone(a.GrantTypes), func(g string) bool { return g == GrantDevice })
	}
	return a.GrantTypes
}

func (t *Tenant) clientGrants(a *Application) []ClientGrant {
	if t.fault(FaultGrantMissing) && !a.changed.grants {
		return nil
	}
	return a.Grants
}

func (t *Tenant) changeClient(r *http.Request) (int, any, error) {
	a, err := t.client(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Name         *string        `json:"name"`
		Callbacks    []string       `json:"callbacks"`
		GrantTypes   []string       `json:"grant_types"`
		RefreshToken *refreshPolicy `json:"refresh_token"`
	}
	if err := decodeBody(r, &in); err != nil {
		return 0, nil, err
	}
	if in.RefreshToken != nil {
		if err := in.RefreshToken.apply(a); err != nil {
			return 0, nil, err
		}
	}
	if in.Name != nil {
		a.Name = *in.Name
	}
	if in.Callbacks != nil {
		a.Callbacks, a.changed.callbacks = in.Callbacks, true
	}
	if in.GrantTypes != nil {
		a.GrantTypes, a.changed.grantTypes = in.GrantTypes, true
	}
	return http.StatusOK, t.clientView(a), nil
}

// refreshPolicy is the Management API's view of an application's refresh tokens, in
// seconds. Idle ones don't expire here.
type refreshPolicy struct {
	Rotation   string `json:"rotation_type"`
	Expiration string `json:"expiration_type"`
	Leeway     int    `json:"leeway"`
	Lifetime   int    `json:"token_lifetime"`
	Idle       int    `json:"idle_token_lifetime"`
}

func (p refreshPolicy) apply(a *Application) error {
	rotates := p.Rotation == "rotating"
	switch {
	case !rotates && p.Rotation != "non-rotating":
		return &managementError{http.StatusBadRequest, "invalid_body", "Payload validation error: rotation_type is neither rotating nor non-rotating"}
	case p.Expiration != "expiring" || p.Leeway < 0 || p.Lifetime <= 0:
		return &managementError{http.StatusBadRequest, "invalid_body", "Payload validation error: the stand-in's refresh tokens expire, after a token_lifetime and with a leeway"}
	}
	a.ReusableRefreshTokens = !rotates
	a.RefreshLeeway, a.RefreshLifetime = time.Duration(p.Leeway)*time.Second, time.Duration(p.Lifetime)*time.Second
	return nil
}

// decodeBody reads a request's body. An unknown property is refused, so that it isn't
// silently ignored.
func decodeBody(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (t *Tenant) createClientGrant(r *http.Request) (int, any, error) {
	var in struct {
		ClientID string   `json:"client_id"`
		Audience string   `json:"audience"`
		Scope    []string `json:"scope"`
	}
	if err := decodeBody(r, &in); err != nil {
		return 0, nil, err
	}
	a, err := t.client(in.ClientID)
	if err != nil {
		return 0, nil, err
	}
	api := t.apis[in.Audience]
	if api == nil {
		return 0, nil, &managementError{http.StatusNotFound, "inexistent_resource_server", "Resource server not found: " + in.Audience}
	}
	for _, scope := range in.Scope {
		if !slices.Contains(api.Scopes, scope) {
			return 0, nil, &managementError{http.StatusBadRequest, "invalid_body", "Scope not defined in the resource server: " + scope}
		}
	}
	grants := t.clientGrants(a)
	if slices.ContainsFunc(grants, func(g ClientGrant) bool { return g.Audience == in.Audience }) {
		return 0, nil, &managementError{http.StatusConflict, "client_grant_already_exists", "A client grant for this client and audience already exists"}
	}
	a.Grants, a.changed.grants = append(slices.Clone(grants), ClientGrant{Audience: in.Audience, Scopes: in.Scope}), true
	return http.StatusCreated, object{"id": "cgr_" + random.String(16), "client_id": in.ClientID, "audience": in.Audience, "scope": in.Scope}, nil
}

// flow holds what runs at a trigger, in this order.
type flow []*binding

type binding struct {
	id, name string
	action   *libraryAction
	made     time.Time
}

// libraryAction is an Action of the tenant's library.
type libraryAction struct {
	id, name, trigger, version string
	code                       string // of the draft
	status                     string
	problem                    string  // the error of a failed build
	number                     int     // of the deployed version
	deployed                   *script // nil: never deployed
	// own is the tenant's initial Action, a Go function.
	own           bool
	made, changed time.Time
}

// The triggers that the stand-in runs.
const (
	triggerLogin    = "post-login"
	triggerMachines = "credentials-exchange"
)

// flowOf returns a trigger's flow without the tenant's initial Action if a fault hides
// it.
func (t *Tenant) flowOf(trigger string) flow {
	missing := trigger == triggerLogin && (t.action == nil || t.fault(FaultActionMissing)) ||
		trigger == triggerMachines && (t.machineAction == nil || t.fault(FaultMachineActionMissing))
	return slices.DeleteFunc(slices.Clone(t.flows[trigger]), func(b *binding) bool { return b.action.own && missing })
}

// ownFlow returns a tenant's initial flow.
func ownFlow(trigger string, now time.Time) flow {
	action := &libraryAction{
		id: uuid.NewString(), name: "Claims", trigger: trigger, version: "v3", status: "built", number: 1, own: true,
		code: "// a function of the local stack's own", made: now, changed: now,
	}
	return flow{{id: uuid.NewString(), name: action.name, action: action, made: now}}
}

func (t *Tenant) listActions(r *http.Request) (int, any, error) {
	name := r.URL.Query().Get("actionName")
	found := []any{}
	for _, a := range t.library {
		if name == "" || a.name == name {
			found = append(found, a.view())
		}
	}
	return http.StatusOK, object{"actions": found, "total": len(found), "page": 0, "per_page": 20}, nil
}

func (a *libraryAction) view() object {
	view := object{
		"id": a.id, "name": a.name, "supported_triggers": []object{{"id": a.trigger, "version": a.version}}, "code": a.code,
		"status": a.status, "runtime": "node22", "dependencies": []any{}, "secrets": []any{},
		"all_changes_deployed": a.number > 0, "created_at": instant(a.made), "updated_at": instant(a.changed),
	}
	if a.status == "failed" {
		view["errors"] = []object{{"id": "unsupported", "msg": a.problem}}
	}
	if a.number > 0 {
		view["deployed_version"] = object{"number": a.number, "deployed": true, "status": "built"}
	}
	return view
}

func instant(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// runtime is the runtime of new Actions; an Action may name it.
const runtime = "node22"

// listTriggers shows where an Action can be: the two that this tenant has flows for.
func (t *Tenant) listTriggers(*http.Request) (int, any, error) {
	triggers := []object{}
	for _, trigger := range slices.Sorted(maps.Keys(t.flows)) {
		version := "v3"
		if trigger == "credentials-exchange" {
			version = "v2"
		}
		triggers = append(triggers, object{
			"id": trigger, "version": version, "status": "CURRENT", "runtimes": []string{runtime}, "default_runtime": runtime,
			"binding_policy": "trigger-bound", "compatible_triggers": []object{},
		})
	}
	return http.StatusOK, object{"triggers": triggers}, nil
}

func (t *Tenant) createAction(r *http.Request) (int, any, error) {
	var in struct {
		Name     string `json:"name"`
		Code     string `json:"code"`
		Triggers []struct {
			ID      string `json:"id"`
			Version string `json:"version"`
		} `json:"supported_triggers"`
		Runtime      string            `json:"runtime"`
		Dependencies []json.RawMessage `json:"dependencies"`
		Secrets      []json.RawMessage `json:"secrets"`
	}
	if err := decodeBody(r, &in); err != nil {
		return 0, nil, err
	}
	if len(in.Dependencies)+len(in.Secrets) > 0 {
		return 0, nil, &managementError{http.StatusNotImplemented, "not_implemented", "the local stack's Actions have neither dependencies nor secrets"}
	}
	if in.Name == "" || len(in.Triggers) != 1 || t.flows[in.Triggers[0].ID] == nil {
		return 0, nil, errors.New("want a name, and one trigger, post-login or credentials-exchange, in supported_triggers")
	}
	if slices.ContainsFunc(t.library, func(a *libraryAction) bool { return a.name == in.Name }) {
		return 0, nil, &managementError{http.StatusConflict, "action_already_exists", "An action with the name " + in.Name + " already exists"}
	}
	a := &libraryAction{
		id: uuid.NewString(), name: in.Name, trigger: in.Triggers[0].ID, version: in.Triggers[0].Version,
		code: in.Code, status: "pending", made: t.now(), changed: t.now(),
	}
	t.library = append(t.library, a)
	return http.StatusCreated, a.view(), nil
}

func (t *Tenant) libraryAction(id string) (*libraryAction, error) {
	for _, a := range t.library {
		if a.id == id {
			return a, nil
		}
	}
	return nil, &managementError{http.StatusNotFound, "not_found", "That action does not exist"}
}

// readAction shows an Action; its build progresses with each call.
func (t *Tenant) readAction(r *http.Request) (int, any, error) {
	a, err := t.libraryAction(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	switch a.status {
	case "pending":
		a.status = "building"
	case "building":
		a.status = "built"
		if _, err := parseScript(a.trigger, a.code); err != nil {
			a.status, a.problem = "failed", "the local stack runs no JavaScript: "+err.Error()
		}
	}
	return http.StatusOK, a.view(), nil
}

func (t *Tenant) changeAction(r *http.Request) (int, any, error) {
	a, err := t.libraryAction(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Code string `json:"code"`
	}
	if err := decodeBody(r, &in); err != nil {
		return 0, nil, err
	}
	a.code, a.status, a.changed = in.Code, "pending", t.now()
	return http.StatusOK, a.view(), nil
}

func (t *Tenant) deployAction(r *http.Request) (int, any, error) {
	a, err := t.libraryAction(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	program, err := parseScript(a.trigger, a.code)
	if a.status != "built" || err != nil {
		return 0, nil, &managementError{http.StatusBadRequest, "draft_not_built", "A draft must be in the 'built' state before it can be deployed."}
	}
	a.deployed = program
	a.number++
	return http.StatusAccepted, object{
		"id": uuid.NewString(), "action_id": a.id, "code": a.code, "deployed": true, "number": a.number, "status": "built", "runtime": "node22", "action": a.view(),
	}, nil
}

func (t *Tenant) trigger(r *http.Request) (string, error) {
	name := r.PathValue("trigger")
	if t.flows[name] == nil {
		return "", &managementError{http.StatusNotFound, "not_found", "That trigger does not exist"}
	}
	return name, nil
}

func (t *Tenant) listBindings(r *http.Request) (int, any, error) {
	trigger, err := t.trigger(r)
	if err != nil {
		return 0, nil, err
	}
	view := t.flowOf(trigger).view(trigger)
	view["total"], view["page"], view["per_page"] = len(t.flowOf(trigger)), 0, 50
	return http.StatusOK, view, nil
}

func (f flow) view(trigger string) object {
	bindings := make([]object, len(f))
	for i, b := range f {
		bindings[i] = object{
			"id": b.id, "trigger_id": trigger, "display_name": b.name, "action": b.action.view(),
			"created_at": instant(b.made), "updated_at": instant(b.made),
		}
	}
	return object{"bindings": bindings}
}

// changeBindings replaces a trigger's flow.
func (t *Tenant) changeBindings(r *http.Request) (int, any, error) {
	trigger, err := t.trigger(r)
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Bindings []struct {
			Ref struct {
				Type  string `json:"type"`
				Value string `json:"value"`
			} `json:"ref"`
			DisplayName string `json:"display_name"`
		} `json:"bindings"`
	}
	if err := decodeBody(r, &in); err != nil {
		return 0, nil, err
	}
	next := flow{}
	for _, b := range in.Bindings {
		bound := t.bound(trigger, b.Ref.Type, b.Ref.Value)
		if bound == nil {
			return 0, nil, &managementError{http.StatusNotFound, "not_found", "There is no deployed action of the trigger for the ref " + b.Ref.Type + " " + b.Ref.Value}
		}
		bound.name = b.DisplayName
		next = append(next, bound)
	}
	t.flows[trigger] = next
	return http.StatusOK, next.view(trigger), nil
}

// bound returns the binding that a reference names, or a new one for an Action; nil means
// none.
func (t *Tenant) bound(trigger, kind, value string) *binding {
	if kind == "binding_id" {
		for _, b := range t.flowOf(trigger) {
			if b.id == value {
				return b
			}
		}
		return nil
	}
	for _, a := range t.library {
		if a.trigger == trigger && a.deployed != nil && (kind == "action_id" && a.id == value || kind == "action_name" && a.name == value) {
			return &binding{id: uuid.NewString(), action: a, made: t.now()}
		}
	}
	return nil
}
