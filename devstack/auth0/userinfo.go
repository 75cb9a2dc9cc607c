package auth0

import (
	"net/http"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/zen-auth/zen/devstack/oauthserver"
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
	oauthserver.WriteJSON(w, http.StatusOK, profile)
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
	if g.user == nil || !g.has("openid") || t.now().Unix() >= int64(expires) || !isFor(claims, t.baseURL+"/userinfo") {
		return nil
	}
	if org, ok := claims["org_id"].(string); ok {
		g.organization = t.organization(org)
	}
	return t.profile(g)
}

// isFor reports whether an audience is one of a token's.
func isFor(claims jwt.MapClaims, audience string) bool {
	all, _ := claims.GetAudience()
	return slices.Contains(all, audience)
}
