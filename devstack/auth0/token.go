package auth0

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/zen-auth/zen/devstack/oauthserver"
)

// token returns the token endpoint.
func (t *Tenant) token(r *http.Request, form url.Values) (object, error) {
	grantType := form.Get("grant_type")
	if grantType == "" {
		return nil, errMissing("grant_type")
	}
	application, err := t.authenticate(r, form)
	if err != nil {
		return nil, err
	}
	handle, ok := map[string]func(*Application, url.Values) (object, error){
		GrantCode: t.exchangeCode, GrantRefresh: t.refresh, GrantDevice: t.pollDevice, GrantCredentials: t.exchangeCredentials,
	}[grantType]
	if !ok {
		return nil, errOAuth(403, "unsupported_grant_type", "Unsupported grant type: "+grantType)
	}
	if !slices.Contains(application.GrantTypes, grantType) {
		return nil, errGrantRefused(grantType)
	}
	return handle(application, form)
}

func (t *Tenant) exchangeCode(application *Application, form url.Values) (object, error) {
	if form.Get("code") == "" {
		return nil, errMissing("code")
	}
	c := t.codes[form.Get("code")]
	if c == nil || c.grant.application != application {
		return nil, errOAuth(403, "invalid_grant", "Invalid authorization code")
	}
	delete(t.codes, form.Get("code"))
	if sent := form.Get("redirect_uri"); sent != c.redirectURI {
		return nil, errOAuth(403, "unauthorized_client", "The redirect URI is wrong. You sent "+oauthserver.Origin(sent)+", and we expected "+oauthserver.Origin(c.redirectURI))
	}
	if c.challenge == "" && application.Secret == "" {
		return nil, errUnauthorized()
	}
	if c.challenge != "" && !oauthserver.Verifies(c.challenge, form.Get("code_verifier")) {
		return nil, errOAuth(403, "invalid_grant", "Failed to verify code verifier")
	}
	return t.issue(c.grant)
}

// issue makes the first tokens of a grant.
func (t *Tenant) issue(g *grant) (object, error) {
	answer, err := t.tokens(g)
	if err != nil {
		return nil, err
	}
	if t.offline(g) {
		answer["refresh_token"] = t.newFamily(g)
	}
	return answer, nil
}

func unixText(seconds int64) string { return strconv.FormatInt(seconds, 10) }
