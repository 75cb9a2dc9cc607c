package auth0

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

// The My Organization API (early access): the members of the organization of a person's
// token, with that person's own roles. Paths, bodies and bounds are those of Auth0's SDKs
// of it (auth0/myorganization-python 2.0.0).
const (
	myOrgPath          = "/my-org/"
	myOrgVersion       = "/my-org/v1/"
	myOrgLifetime      = 10 * time.Minute
	invitationLifetime = 7 * 24 * time.Hour
	maxInvitation      = 30 * 24 * time.Hour
	userStoreID        = "con_zenDevUsers0001"
)

// Scopes of the My Organization API that the stand-in knows.
const (
	ScopeReadMembers       = "read:my_org:members"
	ScopeDeleteMemberships = "delete:my_org:memberships"
	ScopeReadRoles         = "read:my_org:member_roles"
	ScopeCreateRoles       = "create:my_org:member_roles"
	ScopeDeleteRoles       = "delete:my_org:member_roles"
	ScopeReadInvitations   = "read:my_org:member_invitations"
	ScopeCreateInvitations = "create:my_org:member_invitations"
	ScopeDeleteInvitations = "delete:my_org:member_invitations"
	ScopeReadUserStores    = "read:my_org:user_stores"
)

// MyOrganizationScopes returns all of them.
func MyOrganizationScopes() []string {
	return []string{
		ScopeReadMembers, ScopeDeleteMemberships, ScopeReadRoles, ScopeCreateRoles, ScopeDeleteRoles,
		ScopeReadInvitations, ScopeCreateInvitations, ScopeDeleteInvitations, ScopeReadUserStores,
	}
}

// Role is a role that members of organizations may have.
type Role struct {
	ID   string // rol_…
	Name string
	// MyOrganization are the scopes of the My Organization API that it gives.
	MyOrganization []string
}

// DefaultRoles are one role for people who manage an organization, and one for the
// others.
func DefaultRoles() []Role {
	return []Role{
		{ID: "rol_zenDevAdmin00001", Name: "admin", MyOrganization: MyOrganizationScopes()},
		{ID: "rol_zenDevMember0001", Name: "member", MyOrganization: []string{ScopeReadMembers, ScopeReadRoles}},
	}
}

// memberInvitation is an invitation to an organization.
type memberInvitation struct {
	id, email, inviter string
	roles              []string // ids
	made, ends         time.Time
}

// myOrgAPI returns the audience of the My Organization API.
func (t *Tenant) myOrgAPI() *API {
	return &API{Identifier: t.baseURL + myOrgPath, Scopes: MyOrganizationScopes(), TokenLifetime: myOrgLifetime, Algorithm: RS256}
}

// forMyOrganization turns the copy of a grant that is being refreshed into one for the My
// Organization API, where the refresh may be for several APIs (multi-resource refresh
// tokens). Where the application's policies don't name the audience, Auth0 ignores it. The
// scopes returns those that the application, and a role of the person's, has.
func (t *Tenant) forMyOrganization(g *grant, audience, scope string) bool {
	if audience != t.baseURL+myOrgPath || len(g.application.MyOrganization) == 0 || g.organization == nil {
		return false
	}
	var granted []string
	for _, id := range g.user.Roles[g.organization.Name] {
		if r := t.role(id); r != nil {
			granted = append(granted, r.MyOrganization...)
		}
	}
	g.api = t.myOrgAPI()
	g.scopes = slices.DeleteFunc(strings.Fields(scope), func(s string) bool {
		return !slices.Contains(granted, s) || !slices.Contains(g.application.MyOrganization, s)
	})
	g.accessClaims = nil
	return true
}

// role is one by its id or name.
func (t *Tenant) role(name string) *Role {
	i := slices.IndexFunc(t.opts.Roles, func(r Role) bool { return r.ID == name || r.Name == name })
	if i < 0 {
		return nil
	}
	return &t.opts.Roles[i]
}

// myOrgError is an error of the My Organization API.
type myOrgError struct {
	status        int
	title, detail string
}

func (e *myOrgError) Error() string { return e.detail }

// myOrgCall is a call by a member.
type myOrgCall struct {
	*http.Request
	org *organization
	who *user
}

func (t *Tenant) myOrganization() http.Handler {
	mux := http.NewServeMux()
	for pattern, route := range map[string]struct {
		scope  string
		handle func(c myOrgCall) (status int, body any, err error)
	}{
		"GET members":                        {ScopeReadMembers, t.listOrgMembers},
		"GET roles":                          {ScopeReadRoles, t.listRoles},
		"GET user-stores":                    {ScopeReadUserStores, t.listUserStores},
		"GET member-invitations":             {ScopeReadInvitations, t.listMemberInvitations},
		"POST member-invitations":            {ScopeCreateInvitations, t.createMemberInvitations},
		"POST delete-member-invitations":     {ScopeDeleteInvitations, t.deleteMemberInvitations},
		"POST delete-memberships":            {ScopeDeleteMemberships, t.deleteMemberships},
		"POST members/{user}/roles":          {ScopeCreateRoles, t.assignRoles},
		"POST members/{user}/unassign-roles": {ScopeDeleteRoles, t.unassignRoles},
	} {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+myOrgVersion+path, func(w http.ResponseWriter, r *http.Request) { t.serveMyOrg(w, r, route.scope, route.handle) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeMyOrgError(w, &myOrgError{http.StatusNotFound, "Not Found", "The local stack lacks " + r.Method + " " + r.URL.Path})
	})
	return mux
}

func writeMyOrgError(w http.ResponseWriter, err error) {
	e := &myOrgError{http.StatusBadRequest, "Bad Request", err.Error()}
	errors.As(err, &e)
	oauthserver.WriteJSON(w, e.status, object{
		"type": "https://auth0.com/api-errors/A0E-" + strconv.Itoa(e.status) + "-0001", "status": e.status, "title": e.title, "detail": e.detail,
	})
}

func (t *Tenant) serveMyOrg(w http.ResponseWriter, r *http.Request, scope string, handle func(myOrgCall) (int, any, error)) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	t.mu.Lock()
	c, err := t.myOrgCaller(r, scope)
	var status int
	var body any
	if err == nil {
		status, body, err = handle(c)
	}
	t.mu.Unlock()
	var limited *oauthError
	switch {
	case errors.As(err, &limited):
		maps.Copy(w.Header(), limited.header)
		writeMyOrgError(w, &myOrgError{limited.status, "Too Many Requests", limited.text})
	case err != nil:
		writeMyOrgError(w, err)
	case body == nil:
		w.WriteHeader(status)
	default:
		oauthserver.WriteJSON(w, status, body)
	}
}

// myOrgCaller returns the person of a request's token.
func (t *Tenant) myOrgCaller(r *http.Request, scope string) (myOrgCall, error) {
	unauthorized := func(detail string) error { return &myOrgError{http.StatusUnauthorized, "Unauthorized", detail} }
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	claims, err := t.verify(token)
	expires, _ := claims["exp"].(float64)
	c := myOrgCall{Request: r}
	switch {
	case err != nil || t.now().Unix() >= int64(expires):
		return c, unauthorized("Invalid token")
	case !isFor(claims, t.baseURL+myOrgPath):
		return c, unauthorized("Bad audience")
	case t.fault(FaultRateLimited):
		return c, t.errRateLimited()
	}
	c.org, c.who = t.organization(text(claims["org_id"])), t.userByID(text(claims["sub"]))
	switch {
	case c.org == nil || c.who == nil || !slices.Contains(c.who.organizations, c.org):
		return c, &myOrgError{http.StatusNotFound, "Not Found", "The organization does not exist"}
	case !slices.Contains(strings.Fields(text(claims["scope"])), scope):
		return c, &myOrgError{http.StatusForbidden, "Forbidden", "Insufficient scope, expected any of: " + scope}
	}
	return c, nil
}

// pageOf returns a page of a list, and where the next one begins.
func pageOf[T any](r *http.Request, name string, items []T, view func(T) object) (int, any, error) {
	take, err := strconv.Atoi(r.URL.Query().Get("take"))
	if err != nil || take < 1 || take > 100 {
		take = 50
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	from = min(max(0, from), len(items))
	end := min(from+take, len(items))
	views := []object{}
	for _, item := range items[from:end] {
		views = append(views, view(item))
	}
	answer := object{name: views}
	if end < len(items) {
		answer["next"] = strconv.Itoa(end)
	}
	return http.StatusOK, answer, nil
}

func (t *Tenant) orgMembers(o *organization) []*user {
	return slices.DeleteFunc(slices.Clone(t.users), func(u *user) bool { return !slices.Contains(u.organizations, o) })
}

func (t *Tenant) listOrgMembers(c myOrgCall) (int, any, error) {
	withRoles := slices.Contains(strings.Split(c.URL.Query().Get("fields"), ","), "roles")
	return pageOf(c.Request, "members", t.orgMembers(c.org), func(u *user) object {
		view := object{"user_id": u.ID, "email": u.Email, "name": u.Name, "created_at": u.updatedAt.UTC().Format(time.RFC3339)}
		if withRoles {
			roles := []object{}
			for _, id := range u.Roles[c.org.Name] {
				if r := t.role(id); r != nil {
					roles = append(roles, object{"id": r.ID, "name": r.Name})
				}
			}
			view["roles"] = roles
		}
		return view
	})
}

func (t *Tenant) listRoles(c myOrgCall) (int, any, error) {
	return pageOf(c.Request, "roles", t.opts.Roles, func(r Role) object { return object{"id": r.ID, "name": r.Name} })
}

func (t *Tenant) listUserStores(myOrgCall) (int, any, error) {
	return http.StatusOK, object{"user_stores": []object{{"id": userStoreID, "name": "Username-Password-Authentication"}}}, nil
}

func (o *organization) pendingInvitations(now time.Time) []*memberInvitation {
	o.invitations = slices.DeleteFunc(o.invitations, func(i *memberInvitation) bool { return !now.Before(i.ends) })
	return o.invitations
}

func (o *organization) view(i *memberInvitation) object {
	return object{
		"id": i.id, "organization_id": o.ID, "inviter": object{"name": i.inviter}, "invitee": object{"email": i.email}, "roles": i.roles,
		"created_at": i.made.UTC().Format(time.RFC3339), "expires_at": i.ends.UTC().Format(time.RFC3339),
		"invitation_url": "https://app.example.test/login?invitation=" + i.id, "user_store_id": userStoreID,
	}
}

func (t *Tenant) listMemberInvitations(c myOrgCall) (int, any, error) {
	return pageOf(c.Request, "invitations", c.org.pendingInvitations(t.now()), c.org.view)
}

// createMemberInvitations invites several people at once. An earlier invitation of the
// same person is revoked.
func (t *Tenant) createMemberInvitations(c myOrgCall) (int, any, error) {
	var in struct {
		Invitees []struct {
			Email string   `json:"email"`
			Roles []string `json:"roles"`
		} `json:"invitees"`
		Inviter struct {
			Name string `json:"name"`
		} `json:"inviter"`
		UserStore        string `json:"user_store_id"`
		IdentityProvider string `json:"identity_provider_id"`
		TTL              int    `json:"ttl_sec"`
	}
	if err := json.NewDecoder(c.Body).Decode(&in); err != nil {
		return 0, nil, err
	}
	lifetime := invitationLifetime
	if in.TTL != 0 {
		lifetime = time.Duration(in.TTL) * time.Second
	}
	switch {
	case len(in.Invitees) == 0:
		return 0, nil, errors.New("invitees is missing")
	case in.UserStore == "" && in.IdentityProvider == "":
		return 0, nil, errors.New("at least one of identity_provider_id or user_store_id must be provided")
	case lifetime < 0 || lifetime > maxInvitation:
		return 0, nil, errors.New("ttl_sec is more than 2592000")
	}
	for _, i := range in.Invitees {
		if !strings.Contains(i.Email, "@") {
			return 0, nil, errors.New("email is no address")
		}
		for _, id := range i.Roles {
			if t.role(id) == nil {
				return 0, nil, errors.New("a role does not exist")
			}
		}
	}
	now, views := t.now(), []object{}
	for _, i := range in.Invitees {
		c.org.invitations = slices.DeleteFunc(c.org.invitations, func(old *memberInvitation) bool { return strings.EqualFold(old.email, i.Email) })
		made := &memberInvitation{id: "uinv_" + random.String(16), email: i.Email, inviter: in.Inviter.Name, roles: i.Roles, made: now, ends: now.Add(lifetime)}
		c.org.invitations = append(c.org.invitations, made)
		views = append(views, c.org.view(made))
	}
	return http.StatusCreated, views, nil
}

func (t *Tenant) deleteMemberInvitations(c myOrgCall) (int, any, error) {
	var in struct {
		Invitations []string `json:"invitations"`
	}
	if err := json.NewDecoder(c.Body).Decode(&in); err != nil {
		return 0, nil, err
	}
	pending := c.org.pendingInvitations(t.now())
	for _, id := range in.Invitations {
		if !slices.ContainsFunc(pending, func(i *memberInvitation) bool { return i.id == id }) {
			return 0, nil, &myOrgError{http.StatusNotFound, "Not Found", "The invitation does not exist"}
		}
	}
	c.org.invitations = slices.DeleteFunc(pending, func(i *memberInvitation) bool { return slices.Contains(in.Invitations, i.id) })
	return http.StatusNoContent, nil, nil
}

// orgMember returns a member by the user's id.
func (t *Tenant) orgMember(o *organization, id string) (*user, error) {
	u := t.userByID(id)
	if u == nil || !slices.Contains(u.organizations, o) {
		return nil, &myOrgError{http.StatusNotFound, "Not Found", "The member does not exist"}
	}
	return u, nil
}

func (t *Tenant) deleteMemberships(c myOrgCall) (int, any, error) {
	var in struct {
		Members []string `json:"members"`
	}
	if err := json.NewDecoder(c.Body).Decode(&in); err != nil {
		return 0, nil, err
	}
	if len(in.Members) != 1 {
		return 0, nil, errors.New("members has to have one item")
	}
	u, err := t.orgMember(c.org, in.Members[0])
	if err != nil {
		return 0, nil, err
	}
	u.organizations = slices.DeleteFunc(slices.Clone(u.organizations), func(o *organization) bool { return o == c.org })
	u.Organizations = slices.DeleteFunc(slices.Clone(u.Organizations), func(name string) bool { return name == c.org.Name || name == c.org.ID })
	u.setRoles(c.org, nil)
	return http.StatusNoContent, nil, nil
}

// setRoles changes the roles of a user in an organization.
func (u *user) setRoles(o *organization, roles []string) {
	changed := map[string][]string{}
	maps.Copy(changed, u.Roles)
	changed[o.Name] = roles
	u.Roles = changed
}

func (t *Tenant) assignRoles(c myOrgCall) (int, any, error) {
	return t.changeRoles(c, func(has, named []string) []string {
		for _, id := range named {
			if !slices.Contains(has, id) {
				has = append(has, id)
			}
		}
		return has
	})
}

func (t *Tenant) unassignRoles(c myOrgCall) (int, any, error) {
	return t.changeRoles(c, func(has, named []string) []string {
		return slices.DeleteFunc(has, func(id string) bool { return slices.Contains(named, id) })
	})
}

func (t *Tenant) changeRoles(c myOrgCall, change func(has, named []string) []string) (int, any, error) {
	var in struct {
		Roles []string `json:"role_ids"`
	}
	if err := json.NewDecoder(c.Body).Decode(&in); err != nil {
		return 0, nil, err
	}
	u, err := t.orgMember(c.org, c.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	for _, id := range in.Roles {
		if t.role(id) == nil {
			return 0, nil, errors.New("a role does not exist")
		}
	}
	var has []string // by id, whatever the user was made with
	for _, name := range u.Roles[c.org.Name] {
		if r := t.role(name); r != nil {
			has = append(has, r.ID)
		}
	}
	u.setRoles(c.org, change(has, in.Roles))
	return http.StatusNoContent, nil, nil
}
