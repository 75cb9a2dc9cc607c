package auth0

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

// family are all refresh tokens that descend from one sign-in.
type family struct {
	grant      *grant
	expireAt   time.Time // of the sign-in, not extended by rotation
	revoked    bool
	generation int // of the newest token
}

type refreshToken struct {
	family     *family
	generation int
	usedAt     time.Time // zero until rotated away
}

func (t *Tenant) offline(g *grant) bool {
	return g.has("offline_access") && (g.api == nil || !g.api.DenyOfflineAccess) &&
		slices.Contains(g.application.GrantTypes, GrantRefresh) && !t.fault(FaultNoRefreshToken)
}

// maxFamilies limits the refresh tokens that a user may have with an application; one
// more silently drops the oldest (Auth0, Entity limit policy).
const maxFamilies = 200

func (t *Tenant) newFamily(g *grant) string {
	families := map[*family]bool{}
	var oldest *family
	for _, token := range t.refreshTokens {
		f := token.family
		if f.revoked || f.grant.user != g.user || f.grant.application != g.application {
			continue
		}
		families[f] = true
		if oldest == nil || f.expireAt.Before(oldest.expireAt) {
			oldest = f
		}
	}
	if len(families) >= maxFamilies {
		oldest.revoked = true
	}
	return t.newRefreshToken(&family{grant: g, expireAt: t.now().Add(g.application.RefreshLifetime)})
}

func (t *Tenant) newRefreshToken(f *family) string {
	token := "v1." + random.String(60)
	t.refreshTokens[token] = &refreshToken{family: f, generation: f.generation}
	return token
}

func errRefreshToken() *oauthError {
	return errOAuth(403, "invalid_grant", "Unknown or invalid refresh token.")
}

// refresh exchanges a refresh token. One that was already used revokes its whole family,
// unless it is the previous one and within the leeway.
func (t *Tenant) refresh(application *Application, form url.Values) (object, error) {
	if form.Get("refresh_token") == "" {
		return nil, errMissing("refresh_token")
	}
	token := t.refreshTokens[form.Get("refresh_token")]
	if token == nil || t.fault(FaultRefreshRevoked) || token.family.revoked || token.family.grant.application != application {
		return nil, errRefreshToken()
	}
	f := token.family
	if t.fault(FaultRefreshReused) {
		f.revoked = true
		return nil, errRefreshToken()
	}
	if !token.usedAt.IsZero() {
		inLeeway := token.generation == f.generation-1 && t.now().Before(token.usedAt.Add(application.RefreshLeeway))
		if !inLeeway {
			f.revoked = true
			return nil, errRefreshToken()
		}
	}
	// A copy: requesting fewer scopes now doesn't reduce them for the next time.
	g := *f.grant
	g.grantType = GrantRefresh
	if t.forMyOrganization(&g, form.Get("audience"), form.Get("scope")) {
		return t.refreshed(application, token, &g)
	}
	if scope := form.Get("scope"); scope != "" {
		g.scopes = slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return !f.grant.has(s) })
	}
	if err := t.runAction(&g, true); err != nil {
		return nil, err
	}
	return t.refreshed(application, token, &g)
}

// refreshed makes the tokens of a refresh, and the next refresh token.
func (t *Tenant) refreshed(application *Application, token *refreshToken, g *grant) (object, error) {
	f := token.family
	answer, err := t.tokens(g)
	if err != nil || application.ReusableRefreshTokens {
		return answer, err
	}
	if token.usedAt.IsZero() {
		token.usedAt, f.generation = t.now(), token.generation+1
	}
	answer["refresh_token"] = t.newRefreshToken(f)
	return answer, nil
}

// revoke revokes a refresh token and its family. An unknown token is not an error, as RFC
// 7009 requires.
func (t *Tenant) revoke(r *http.Request, form url.Values) (object, error) {
	application, err := t.authenticate(r, form)
	if err != nil {
		return nil, err
	}
	if form.Get("token") == "" {
		return nil, errMissing("token")
	}
	if token := t.refreshTokens[form.Get("token")]; token != nil && token.family.grant.application == application {
		token.family.revoked = true
	}
	return nil, nil
}

// RevokeRefreshTokens revokes all refresh tokens of a user, as the dashboard can.
func (t *Tenant) RevokeRefreshTokens(userID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, token := range t.refreshTokens {
		if token.family.grant.user.ID == userID {
			token.family.revoked = true
		}
	}
}
