package clerk

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

// oauthAccess is an access token that was issued, JWT or not.
type oauthAccess struct {
	id       string // oat_ and 32 hexadecimal digits; the jti of a JWT
	secret   string // the token itself if it is opaque, or ""
	grant    *oauthGrant
	issuedAt time.Time
	expireAt time.Time
	revoked  bool
}

// oauthRefresh is a refresh token. It works once: each exchange gives a new one.
type oauthRefresh struct{ grant *oauthGrant }

// oauthToken returns the token endpoint.
func oauthToken(inst *Instance, r *http.Request) (object, error) {
	application, err := inst.oauthClient(r)
	if err != nil {
		return nil, err
	}
	switch grantType := r.PostForm.Get("grant_type"); grantType {
	case "authorization_code":
		return inst.exchangeOAuthCode(application, r)
	case "refresh_token":
		return inst.refreshOAuth(application, r)
	case grantDevice:
		return inst.pollOAuthDevice(application, r)
	default:
		return nil, errOAuth(401, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server.")
	}
}

func errInvalidGrant(hint string) *oauthError {
	return errOAuth(400, "invalid_grant", "The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh token is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client. "+hint)
}

func (inst *Instance) exchangeOAuthCode(application *OAuthApplication, r *http.Request) (object, error) {
	id := r.PostForm.Get("code")
	code := inst.oauth.codes[id]
	if code == nil || code.grant.application != application || !inst.now().Before(code.expireAt) {
		return nil, errInvalidGrant("The authorization code is unknown.")
	}
	delete(inst.oauth.codes, id)
	if r.PostForm.Get("redirect_uri") != code.redirectURI {
		return nil, errInvalidGrant("The redirect_uri differs from the one of the authorization request.")
	}
	if code.challenge != "" && !oauthserver.Verifies(code.challenge, r.PostForm.Get("code_verifier")) {
		return nil, errInvalidGrant("The PKCE code challenge did not match the code verifier.")
	}
	return inst.oauthTokens(code.grant)
}

// refreshOAuth exchanges a refresh token for a new pair. The old one is used up; at
// Clerk, unlike elsewhere, using it again only fails that request.
func (inst *Instance) refreshOAuth(application *OAuthApplication, r *http.Request) (object, error) {
	token := r.PostForm.Get("refresh_token")
	refresh := inst.oauth.refreshTokens[token]
	if inst.fault(FaultSatellite) {
		return nil, errSatellite()
	}
	if inst.fault(FaultUserBanned) {
		return nil, errInvalidGrant("The user was banned.")
	}
	if inst.fault(FaultOAuthRevoked) {
		revoked := errInvalidGrant("The refresh token was revoked.")
		revoked.status = http.StatusUnauthorized
		return nil, revoked
	}
	if refresh == nil || refresh.grant.application != application {
		return nil, errInvalidGrant("The refresh token is unknown.")
	}
	g := *refresh.grant
	g.from = refresh.grant.signIn()
	if scope := r.PostForm.Get("scope"); scope != "" {
		g.scopes = strings.Fields(scope)
		for _, s := range g.scopes {
			if !refresh.grant.has(s) {
				return nil, errOAuth(400, "invalid_scope", "The requested scope exceeds the scope that was granted.")
			}
		}
	}
	delete(inst.oauth.refreshTokens, token)
	return inst.oauthTokens(&g)
}

// oauthTokens makes the answer of the token endpoint.
func (inst *Instance) oauthTokens(g *oauthGrant) (object, error) {
	now := inst.now()
	access := &oauthAccess{id: "oat_" + random.Hex(16), grant: g, issuedAt: now, expireAt: now.Add(oauthAccessLifetime)}
	token, err := inst.oauthAccessToken(access)
	if err != nil {
		return nil, err
	}
	inst.oauth.accessTokens[access.id] = access
	answer := object{
		"access_token": token, "token_type": "Bearer", "expires_in": int64(oauthAccessLifetime / time.Second),
		"scope": strings.Join(g.scopes, " "),
	}
	if g.has("offline_access") {
		refresh := random.String(64)
		inst.oauth.refreshTokens[refresh] = &oauthRefresh{g}
		answer["refresh_token"] = refresh
	}
	if g.has("openid") {
		answer["id_token"], err = inst.oauthIDToken(g)
	}
	return answer, err
}

func (inst *Instance) oauthAccessToken(access *oauthAccess) (string, error) {
	g := access.grant
	if g.application.OpaqueTokens {
		access.secret = "oat_" + random.String(43)
		return access.secret, nil
	}
	claims := map[string]any{
		"iss": inst.baseURL, "sub": g.user.ID, "client_id": g.application.ClientID, "jti": access.id,
		"iat": access.issuedAt.Unix(), "nbf": access.issuedAt.Unix(), "exp": access.expireAt.Unix(),
		"scope": strings.Join(g.scopes, " "),
	}
	if g.organizationID != "" {
		claims["org_id"] = g.organizationID
	}
	return inst.keys.sign(map[string]any{"typ": "at+jwt"}, claims)
}

func (inst *Instance) oauthIDToken(g *oauthGrant) (string, error) {
	now := inst.now()
	claims := map[string]any(inst.oauthProfile(g))
	claims["iss"], claims["aud"] = inst.baseURL, g.application.ClientID
	claims["iat"], claims["exp"] = now.Unix(), now.Add(idTokenLifetime).Unix()
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	return inst.keys.sign(nil, claims)
}

// oauthProfile returns the part of the user's profile that a grant's scopes cover.
func (inst *Instance) oauthProfile(g *oauthGrant) object {
	u := g.user
	profile := object{"sub": u.ID}
	if g.has("profile") {
		profile["name"], profile["given_name"], profile["family_name"] = u.fullName(), u.FirstName, u.LastName
		profile["picture"] = ""
	}
	if g.has("email") {
		profile["email"], profile["email_verified"] = u.Email, true
	}
	if g.has("public_metadata") {
		profile["public_metadata"] = u.PublicMetadata
	}
	if m := u.membership(g.organizationID); m != nil && !inst.fault(FaultOrganizationLeft) {
		profile["org_id"], profile["org_name"], profile["org_slug"] = m.organization.ID, m.organization.Name, m.organization.Slug
	}
	return profile
}

// findAccess finds a live access token, opaque or JWT.
func (inst *Instance) findAccess(token string) (*oauthAccess, error) {
	if strings.Count(token, ".") == 2 {
		claims, err := inst.verify(token)
		if err != nil {
			return nil, err
		}
		id, _ := claims["jti"].(string)
		if access := inst.oauth.accessTokens[id]; access != nil {
			return access, nil
		}
		return nil, errNotFound()
	}
	for _, access := range inst.oauth.accessTokens {
		if access.secret != "" && random.Same(access.secret, token) && inst.now().Before(access.expireAt) {
			return access, nil
		}
	}
	return nil, errNotFound()
}

// oauthTokenInfo returns the introspection endpoint.
func oauthTokenInfo(inst *Instance, r *http.Request) (object, error) {
	application, err := inst.oauthClient(r)
	if err != nil {
		return nil, err
	}
	token := r.PostForm.Get("token")
	info := func(g *oauthGrant, issuedAt time.Time) object {
		out := object{"active": true, "client_id": g.application.ClientID, "scope": strings.Join(g.scopes, " "), "sub": g.user.ID}
		if !issuedAt.IsZero() {
			out["iat"] = issuedAt.Unix()
		}
		if g.organizationID != "" {
			out["org_id"] = g.organizationID
		}
		return out
	}
	if refresh := inst.oauth.refreshTokens[token]; refresh != nil && refresh.grant.application == application {
		return info(refresh.grant, time.Time{}), nil
	}
	access, err := inst.findAccess(token)
	if err != nil || access.revoked || access.grant.application != application {
		return object{"active": false}, nil
	}
	return info(access.grant, access.issuedAt), nil
}

// oauthRevoke revokes a refresh token or an opaque access token. An unknown token is not
// an error (RFC 7009); a JWT can't be revoked.
func oauthRevoke(inst *Instance, r *http.Request) (object, error) {
	application, err := inst.oauthClient(r)
	if err != nil {
		return nil, err
	}
	token := r.PostForm.Get("token")
	if token == "" {
		return nil, errOAuth(400, "invalid_request", "The request is missing the parameter token")
	}
	if refresh := inst.oauth.refreshTokens[token]; refresh != nil && refresh.grant.application == application {
		delete(inst.oauth.refreshTokens, token)
		return nil, nil
	}
	access, err := inst.findAccess(token)
	switch {
	case err != nil || access.grant.application != application:
		return nil, nil
	case access.secret == "":
		return nil, errOAuth(400, "unsupported_token_type", "JWT access tokens cannot be revoked.")
	}
	access.revoked = true
	return nil, nil
}

// oauthUserinfo answers with the profile, or with ClerkErrors unlike the other
// OAuth endpoints.
func (inst *Instance) oauthUserinfo(w http.ResponseWriter, r *http.Request) {
	profile, err := object(nil), inst.weather()
	if err == nil {
		inst.mu.Lock()
		profile, err = inst.userinfo(r)
		inst.mu.Unlock()
	}
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	oauthserver.WriteJSON(w, http.StatusOK, profile)
}

func (inst *Instance) userinfo(r *http.Request) (object, error) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, errAuthenticationInvalid()
	}
	access, err := inst.findAccess(token)
	if err != nil || access.revoked {
		return nil, errAuthenticationInvalid()
	}
	profile := inst.oauthProfile(access.grant)
	profile["object"], profile["instance_id"], profile["user_id"] = "oauth_user_info", inst.opts.InstanceID, access.grant.user.ID
	return profile, nil
}

// verifyOAuthToken returns the Backend API's way to check an access token.
func verifyOAuthToken(inst *Instance, _ *http.Request, body params) (any, error) {
	var token, secret string
	for _, err := range []error{body.only("access_token", "secret"), body.into("access_token", &token), body.into("secret", &secret)} {
		if err != nil {
			return nil, err
		}
	}
	if token == "" {
		token = secret // the deprecated name
	}
	access, err := inst.findAccess(token)
	if errors.Is(err, jwt.ErrTokenExpired) {
		return object{"active": false}, nil
	}
	if err != nil {
		return nil, errTokenNotFound("OAuth access token")
	}
	g := access.grant
	return object{
		"object": "clerk_idp_oauth_access_token", "id": access.id, "client_id": g.application.ClientID, "subject": g.user.ID,
		"scopes": slices.Clone(g.scopes), "revoked": access.revoked, "revocation_reason": nil, "expired": false,
		"expiration": ms(access.expireAt), "created_at": ms(access.issuedAt), "updated_at": ms(access.issuedAt),
	}, nil
}
