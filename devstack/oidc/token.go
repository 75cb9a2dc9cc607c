package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
)

var supportedScopes = []string{"openid", "profile", "email", "groups", "offline_access"}

// grant is a person's consent to a client.
type grant struct {
	client   *Client
	user     *User
	scopes   []string
	nonce    string
	authTime time.Time
}

func (g *grant) has(scope string) bool { return slices.Contains(g.scopes, scope) }

// scopesOf drops unknown scopes, as RFC 6749, section 3.3, allows.
func scopesOf(scope string) []string {
	return slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return !slices.Contains(supportedScopes, s) })
}

// refreshToken stays the same for as long as its sign-in lasts.
type refreshToken struct {
	grant    *grant
	expireAt time.Time // moves with each use
}

type accessToken struct {
	grant    *grant
	expireAt time.Time
}

func errInvalidGrant(text string) *oauthError { return errOAuth(400, "invalid_grant", text) }

func (i *Issuer) token(c *Client, form url.Values) (object, error) {
	switch form.Get("grant_type") {
	case grantCode:
		return i.exchangeCode(c, form)
	case grantRefresh:
		return i.exchangeRefresh(c, form)
	case grantDevice:
		return i.pollDevice(c, form)
	}
	return nil, errOAuth(400, "unsupported_grant_type", "The grant type is not supported")
}

func (i *Issuer) exchangeCode(c *Client, form url.Values) (object, error) {
	id := form.Get("code")
	found := i.codes[id]
	if found == nil || found.grant.client != c {
		return nil, errInvalidGrant("The code is unknown or was used")
	}
	delete(i.codes, id)
	switch {
	case form.Get("redirect_uri") != found.redirectURI:
		return nil, errInvalidGrant("The redirect_uri differs")
	case found.challenge != "" && !oauthserver.Verifies(found.challenge, form.Get("code_verifier")):
		return nil, errInvalidGrant("The code_verifier doesn't fit the code_challenge")
	}
	return i.issue(found.grant, true)
}

// exchangeRefresh returns new tokens, but no new refresh token: the old one stays valid
// (RFC 6749, section 6, leaves that to the server).
func (i *Issuer) exchangeRefresh(c *Client, form url.Values) (object, error) {
	found := i.refresh[form.Get("refresh_token")]
	if found == nil || found.grant.client != c || i.fault(FaultRefreshRevoked) {
		return nil, errInvalidGrant("The session is not active")
	}
	g := *found.grant
	g.nonce = "" // OpenID Connect Core, section 12.2
	if scope := form.Get("scope"); scope != "" {
		g.scopes = scopesOf(scope)
		for _, s := range g.scopes {
			if !found.grant.has(s) {
				return nil, errOAuth(400, "invalid_scope", "The scope exceeds what was granted")
			}
		}
	}
	found.expireAt = i.now().Add(i.opts.RefreshLifetime)
	return i.issue(&g, false)
}

// issue makes the token endpoint's answer.
func (i *Issuer) issue(g *grant, first bool) (object, error) {
	access := random.String(43)
	i.access[access] = &accessToken{g, i.now().Add(i.opts.TokenLifetime)}
	answer := object{
		"access_token": access, "token_type": "Bearer", "expires_in": int64(i.opts.TokenLifetime / time.Second), "scope": strings.Join(g.scopes, " "),
	}
	if first && g.has("offline_access") && !i.fault(FaultNoRefreshToken) {
		refresh := random.String(64)
		i.refresh[refresh] = &refreshToken{g, i.now().Add(i.opts.RefreshLifetime)}
		answer["refresh_token"] = refresh
	}
	if !g.has("openid") {
		return answer, nil
	}
	var err error
	answer["id_token"], err = i.idToken(g, access)
	return answer, err
}

func (i *Issuer) idToken(g *grant, access string) (string, error) {
	key, err := i.signingKey()
	if err != nil {
		return "", err
	}
	now := i.now()
	if i.fault(FaultExpired) {
		now = now.Add(-24 * time.Hour)
	}
	sum := sha256.Sum256([]byte(access))
	claims := i.profile(g)
	claims["iss"], claims["aud"], claims["jti"] = i.Address(), g.client.ID, random.Hex(16)
	claims["iat"], claims["exp"], claims["auth_time"] = now.Unix(), now.Add(i.opts.TokenLifetime).Unix(), g.authTime.Unix()
	claims["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:16]) // OpenID Connect Core, section 3.1.3.6
	if g.nonce != "" {
		claims["nonce"] = g.nonce
		if i.fault(FaultWrongNonce) {
			claims["nonce"] = random.String(22)
		}
	}
	if i.fault(FaultWrongAudience) {
		claims["aud"] = "another-client"
	}
	return key.Sign(nil, claims)
}

// profile returns the part of the person that a grant's scopes show.
func (i *Issuer) profile(g *grant) object {
	claims := object{"sub": g.user.Subject}
	if g.has("profile") {
		local, _, _ := strings.Cut(g.user.Email, "@")
		claims["name"], claims["preferred_username"] = g.user.Name, local
	}
	if g.has("email") {
		claims["email"], claims["email_verified"] = g.user.Email, !i.fault(FaultUnverifiedEmail)
	}
	if g.has("groups") {
		claims["groups"] = slices.Clone(g.user.Groups)
	}
	return claims
}

// revoke revokes a token. An unknown token is not an error (RFC 7009, section 2.2).
func (i *Issuer) revoke(c *Client, form url.Values) (object, error) {
	token := form.Get("token")
	if token == "" {
		return nil, errOAuth(400, "invalid_request", "The token is missing")
	}
	if found := i.refresh[token]; found != nil && found.grant.client == c {
		delete(i.refresh, token)
	}
	if found := i.access[token]; found != nil && found.grant.client == c {
		delete(i.access, token)
	}
	return nil, nil
}

func (i *Issuer) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	i.mu.Lock()
	i.prune()
	found := i.access[token]
	var profile object
	if found != nil {
		profile = i.profile(found.grant)
	}
	i.mu.Unlock()
	if profile == nil || !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	i.writeJSON(w, http.StatusOK, profile)
}
