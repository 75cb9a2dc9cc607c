package auth0

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/random"
)

// grant is a person's consent to an application.
type grant struct {
	user         *user  // nil for a machine
	grantType    string // gty, which Auth0 has for some grants only
	application  *Application
	api          *API // nil: tokens only for /userinfo
	scopes       []string
	organization *organization
	nonce        string
	authTime     time.Time
	sessionID    string

	accessClaims map[string]any // what the Action set
}

func (g *grant) audience() string {
	if g.api == nil {
		return ""
	}
	return g.api.Identifier
}

func (g *grant) has(scope string) bool { return slices.Contains(g.scopes, scope) }

var standardScopes = []string{"openid", "profile", "email", "address", "phone", "offline_access"}

// allowedScopes silently drops scopes unknown to OpenID Connect and the API, as Auth0
// does.
func allowedScopes(scope string, api *API) []string {
	var out []string
	for _, s := range strings.Fields(scope) {
		if slices.Contains(out, s) {
			continue
		}
		if slices.Contains(standardScopes, s) || (api != nil && slices.Contains(api.Scopes, s)) {
			out = append(out, s)
		}
	}
	return out
}

// findAPI returns the API of an audience parameter; "" means none.
func (t *Tenant) findAPI(audience string) (*API, error) {
	if audience == "" {
		return nil, nil
	}
	api := t.apis[audience]
	if api == nil {
		return nil, errService(audience)
	}
	return api, nil
}

func (t *Tenant) issuer() string {
	if t.fault(FaultWrongIssuer) {
		return "https://login.example.test/"
	}
	return t.baseURL + "/"
}

// tokenTime returns the time for the claims of tokens.
func (t *Tenant) tokenTime() time.Time {
	if t.fault(FaultClockAhead) {
		return t.now().Add(10 * time.Minute)
	}
	return t.now()
}

// subject returns the subject of a grant's tokens.
func (g *grant) subject() string {
	if g.user == nil {
		return g.application.ClientID + "@clients"
	}
	return g.user.ID
}

// accessToken mints a JWT for an API, or a sealed token for /userinfo.
func (t *Tenant) accessToken(g *grant) (token string, lifetime time.Duration, err error) {
	now := t.tokenTime()
	lifetime = DefaultTokenLifetime
	if g.api != nil {
		lifetime = g.api.TokenLifetime
	}
	claims := map[string]any{"iss": t.issuer(), "sub": g.subject(), "iat": now.Unix(), "exp": now.Add(lifetime).Unix()}
	if g.user != nil || len(g.scopes) > 0 {
		claims["scope"] = strings.Join(g.scopes, " ")
	}
	if g.organization != nil && !t.fault(FaultOrganizationLost) {
		// The name is there where a tenant takes names for organizations, as this one does.
		claims["org_id"], claims["org_name"] = g.organization.ID, g.organization.Name
	}
	userinfo := t.baseURL + "/userinfo"
	if g.api == nil || t.fault(FaultOpaqueToken) {
		claims["aud"] = userinfo
		claims["azp"] = g.application.ClientID
		token, err = t.seal(claims)
		return token, lifetime, err
	}
	maps.Copy(claims, without(g.accessClaims, claims))
	audience := g.api.Identifier
	if t.fault(FaultWrongAudience) {
		audience = "https://another-api.example.test"
	}
	claims["aud"] = any(audience)
	if g.has("openid") {
		claims["aud"] = []string{audience, userinfo}
	}
	if t.fault(FaultSenderConstrained) {
		claims["cnf"] = map[string]any{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
	}
	header := map[string]any{}
	if g.api.RFC9068 != t.fault(FaultOtherDialect) {
		header["typ"] = "at+jwt"
		claims["client_id"], claims["jti"] = g.application.ClientID, random.String(21)
	} else {
		claims["azp"] = g.application.ClientID
		if g.grantType != "" {
			claims["gty"] = g.grantType
		}
	}
	token, err = t.signFor(g.api, header, claims)
	return token, lifetime, err
}

// signFor signs as the API says. An API's HS256 secret is its own, and in no key set.
func (t *Tenant) signFor(api *API, header, claims map[string]any) (string, error) {
	switch {
	case api.Algorithm == HS256 || t.fault(FaultSymmetric):
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims))
		maps.Copy(token.Header, header)
		secret := sha256.Sum256(append(t.sealKey[:], api.Identifier...))
		return token.SignedString(secret[:])
	case api.Algorithm == PS256:
		return t.keys.current.SignAs(jwt.SigningMethodPS256, header, claims)
	}
	return t.keys.sign(header, claims)
}

// without returns the claims that don't collide with existing ones.
func without(claims, taken map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range claims {
		if _, ok := taken[name]; !ok {
			out[name] = value
		}
	}
	return out
}

func (t *Tenant) idToken(g *grant) (string, error) {
	now := t.tokenTime()
	claims := t.profile(g)
	maps.Copy(claims, object{
		"iss": t.issuer(), "aud": g.application.ClientID, "iat": now.Unix(), "exp": now.Add(idTokenLifetime).Unix(),
		"auth_time": g.authTime.Unix(), "sid": g.sessionID,
	})
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	return t.keys.sign(nil, claims)
}

// profile returns the part of the user's profile that a grant's scopes cover.
func (t *Tenant) profile(g *grant) object {
	u := g.user
	claims := object{"sub": u.ID}
	if g.has("profile") {
		local, _, _ := strings.Cut(u.Email, "@")
		claims["name"], claims["nickname"] = u.Name, local
		claims["picture"] = "https://s.gravatar.com/avatar/" + strings.Repeat("0", 32) + "?s=480&r=pg&d=mp"
		claims["updated_at"] = u.updatedAt.UTC().Format("2006-01-02T15:04:05.000Z")
		if u.GivenName != "" {
			claims["given_name"], claims["family_name"] = u.GivenName, u.FamilyName
		}
	}
	if g.has("email") {
		claims["email"], claims["email_verified"] = u.Email, true
	}
	if g.organization != nil && !t.fault(FaultOrganizationLost) {
		// The name is there where a tenant takes names for organizations, as this one does.
		claims["org_id"], claims["org_name"] = g.organization.ID, g.organization.Name
	}
	return claims
}

// tokens returns the token endpoint's response, without the refresh token.
func (t *Tenant) tokens(g *grant) (object, error) {
	access, lifetime, err := t.accessToken(g)
	if err != nil {
		return nil, err
	}
	answer := object{"access_token": access, "token_type": "Bearer", "expires_in": int64(lifetime / time.Second)}
	if len(g.scopes) > 0 {
		answer["scope"] = strings.Join(g.scopes, " ")
	}
	if g.has("openid") && g.user != nil {
		if answer["id_token"], err = t.idToken(g); err != nil {
			return nil, err
		}
	}
	return answer, nil
}
