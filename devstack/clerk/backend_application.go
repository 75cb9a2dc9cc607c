package clerk

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/zen-auth/zen/devstack/random"
)

// applicationView returns an OAuth application as the Backend API has it.
func (inst *Instance) applicationView(a *OAuthApplication) object {
	base := inst.baseURL
	callback := ""
	if len(a.RedirectURIs) > 0 {
		callback = a.RedirectURIs[0]
	}
	return object{
		"object": "oauth_application", "id": a.ID, "instance_id": inst.opts.InstanceID, "name": a.Name, "client_id": a.ClientID,
		"client_uri": nil, "client_image_url": nil, "dynamically_registered": false, "consent_screen_enabled": !a.NoConsent,
		"pkce_required": a.PKCERequired || a.Secret == "", "public": a.Secret == "", "scopes": strings.Join(a.Scopes, " "),
		"redirect_uris": append([]string{}, a.RedirectURIs...), "callback_url": callback,
		"authorize_url": base + "/oauth/authorize", "token_fetch_url": base + "/oauth/token", "user_info_url": base + "/oauth/userinfo",
		"discovery_url": base + "/.well-known/openid-configuration", "token_introspection_url": base + "/oauth/token_info",
		"created_at": ms(a.createdAt), "updated_at": ms(a.updatedAt),
	}
}

func listApplications(inst *Instance, r *http.Request, _ params) (any, error) {
	query := r.URL.Query().Get("name_query")
	var found []*OAuthApplication
	for _, a := range inst.oauth.applications {
		if a.ClientID == query || strings.Contains(strings.ToLower(a.Name), strings.ToLower(query)) {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b *OAuthApplication) int {
		if c := b.createdAt.Compare(a.createdAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list(queryOf(r), found, inst.applicationView)
}

func (inst *Instance) pathApplication(r *http.Request) (*OAuthApplication, error) {
	for _, a := range inst.oauth.applications {
		if a.ID == r.PathValue("id") {
			return a, nil
		}
	}
	return nil, errNotFound()
}

func readApplication(inst *Instance, r *http.Request, _ params) (any, error) {
	a, err := inst.pathApplication(r)
	if err != nil {
		return nil, err
	}
	return inst.applicationView(a), nil
}

func createApplication(inst *Instance, _ *http.Request, body params) (any, error) {
	var isPublic bool
	if err := body.into("public", &isPublic); err != nil {
		return nil, err
	}
	a := &OAuthApplication{ClientID: random.String(16), Scopes: []string{"profile", "email"}, made: true}
	if !isPublic {
		a.Secret = random.String(32)
	}
	if err := inst.changeApplication(a, body); err != nil {
		return nil, err
	}
	inst.keepApplication(a)
	view := inst.applicationView(a)
	view["client_secret"] = a.Secret // shown once; empty for a public one
	return view, nil
}

func updateApplication(inst *Instance, r *http.Request, body params) (any, error) {
	a, err := inst.pathApplication(r)
	if err != nil {
		return nil, err
	}
	if err := inst.changeApplication(a, body); err != nil {
		return nil, err
	}
	return inst.applicationView(a), nil
}

// changeApplication writes what a body says into an application, or nothing.
func (inst *Instance) changeApplication(a *OAuthApplication, body params) error {
	next, scopes, consent := *a, strings.Join(a.Scopes, " "), !a.NoConsent
	for _, err := range []error{
		body.only("name", "redirect_uris", "callback_url", "scopes", "consent_screen_enabled", "pkce_required", "public"),
		body.into("name", &next.Name), body.into("redirect_uris", &next.RedirectURIs), body.into("scopes", &scopes),
		body.into("consent_screen_enabled", &consent), body.into("pkce_required", &next.PKCERequired),
	} {
		if err != nil {
			return err
		}
	}
	if next.Name == "" {
		return errParamMissing("name")
	}
	for _, address := range next.RedirectURIs {
		if !validRedirect(address) {
			return errParamInvalid("redirect_uris")
		}
	}
	next.Scopes = strings.Fields(scopes)
	for _, s := range next.Scopes {
		if !slices.Contains(supportedScopes, s) {
			return errParamValue("scopes", s)
		}
	}
	next.NoConsent, next.updatedAt = !consent, inst.now()
	*a = next
	return nil
}

func rotateApplicationSecret(inst *Instance, r *http.Request, _ params) (any, error) {
	a, err := inst.pathApplication(r)
	if err != nil {
		return nil, err
	}
	view := inst.applicationView(a)
	if a.Secret != "" {
		a.Secret = random.String(32)
	}
	view["client_secret"] = a.Secret
	return view, nil
}

func deleteApplication(inst *Instance, r *http.Request, _ params) (any, error) {
	a, err := inst.pathApplication(r)
	if err != nil {
		return nil, err
	}
	delete(inst.oauth.applications, a.ClientID)
	maps.DeleteFunc(inst.oauth.refreshTokens, func(_ string, refresh *oauthRefresh) bool { return refresh.grant.application == a })
	return object{"object": "oauth_application", "id": a.ID, "deleted": true}, nil
}

// revokeApplicationToken revokes everything that a sign-in was granted: the refresh
// token, the opaque access tokens, and all derived from them.
func revokeApplicationToken(inst *Instance, r *http.Request, body params) (any, error) {
	a, err := inst.pathApplication(r)
	if err == nil {
		err = body.only("token")
	}
	var token string
	if err == nil {
		err = body.into("token", &token)
	}
	switch {
	case err != nil:
		return nil, err
	case token == "":
		return nil, errParamMissing("token")
	}
	var revoked *oauthGrant
	if refresh := inst.oauth.refreshTokens[token]; refresh != nil {
		revoked = refresh.grant.signIn()
	} else if access, err := inst.findAccess(token); err != nil {
		return nil, errNotFound()
	} else if access.secret == "" { // a JWT
		return nil, errParamInvalid("token")
	} else {
		revoked = access.grant.signIn()
	}
	if revoked.application != a {
		return nil, errNotFound()
	}
	maps.DeleteFunc(inst.oauth.refreshTokens, func(_ string, refresh *oauthRefresh) bool { return refresh.grant.signIn() == revoked })
	for _, access := range inst.oauth.accessTokens {
		if access.secret != "" && access.grant.signIn() == revoked {
			access.revoked = true
		}
	}
	return nil, nil
}
