package auth0

import (
	"net/http"
	"slices"
	"strings"
)

// serveUserinfo shows the profile to an access token that was issued for it: one
// without an audience, or one whose aud lists this endpoint.
func (t *Tenant) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	if t.fault(FaultRateLimited) {
		writeError(w, t.errRateLimited())
		return
	}
	t.mu.Lock()
	profile := t.userinfo(r.Header.Get("Authorization"))
	t.mu.Unlock()
	if profile == nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Users", error="invalid_token"`)
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, profile)
}

func (t *Tenant) userinfo(authorization string) object {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil
	}
	claims, err := t.unseal(token)
	if err != nil {
		if claims, err = t.verify(token); err != nil {
			return nil
		}
	}
	expires, _ := claims["exp"].(float64)
	scope, _ := claims["scope"].(string)
	subject, _ := claims["sub"].(string)
	g := &grant{user: t.userByID(subject), scopes: strings.Fields(scope)}
	if g.user == nil || !g.has("openid") || t.now().Unix() >= int64(expires) || !audienceHas(claims["aud"], t.baseURL+"/userinfo") {
		return nil
	}
	if org, ok := claims["org_id"].(string); ok {
		g.organization = t.organization(org)
	}
	return t.profile(g)
}

func audienceHas(audience any, wanted string) bool {
	switch aud := audience.(type) {
	case string:
		return aud == wanted
	case []any:
		return slices.Contains(aud, any(wanted))
	}
	return false
}
