package auth0

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

const logoutPath = "/u/logout"

// logoutRequest is a request for a logout: the target address, and the application it
// comes from.
type logoutRequest struct {
	application *Application // nil: none was named
	redirectURI string
	state       string
	sessionID   string // of the browser's session that is meant, or ""
	hinted      bool   // the request has an id_token or a session id
}

// parseLogout reads a request of either endpoint: /oidc/logout (OpenID Connect
// RP-Initiated Logout) and the older /v2/logout.
func (t *Tenant) parseLogout(q url.Values) (*logoutRequest, *oauthError) {
	if problem := lacking(q, lackingLogout); problem != nil {
		return nil, problem
	}
	out := &logoutRequest{redirectURI: q.Get("post_logout_redirect_uri"), state: q.Get("state"), sessionID: q.Get("logout_hint")}
	if q.Get("v2") != "" {
		out.redirectURI, out.hinted = q.Get("returnTo"), true // it asks for no confirmation
	}
	client := q.Get("client_id")
	if hint := q.Get("id_token_hint"); hint != "" {
		claims, err := t.verifyHint(hint)
		if err != nil {
			return nil, errOAuth(400, "invalid_request", "id_token_hint can't be verified")
		}
		audience, _ := claims["aud"].(string)
		if client != "" && client != audience {
			return nil, errOAuth(400, "invalid_request", "id_token_hint and client_id are of different applications")
		}
		client = audience
		if sid, _ := claims["sid"].(string); out.sessionID == "" {
			out.sessionID = sid
		}
	}
	out.hinted = out.hinted || out.sessionID != ""
	if client != "" {
		if out.application = t.applications[client]; out.application == nil {
			return nil, errOAuth(400, "invalid_request", "Unknown client: "+client)
		}
	}
	if out.redirectURI != "" && (out.application == nil || !slices.Contains(out.application.LogoutURLs, out.redirectURI)) {
		return nil, errOAuth(400, "invalid_request", `The address "`+out.redirectURI+`" is not in the list of Allowed Logout URLs`)
	}
	return out, nil
}

// verifyHint verifies an id_token of this tenant, even an expired one.
func (t *Tenant) verifyHint(token string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, t.publishedKey, jwt.WithValidMethods([]string{RS256}), jwt.WithoutClaimsValidation())
	return claims, err
}

// showLogout ends the browser's session, or asks for confirmation if the request has
// neither an id_token nor a session id.
func (t *Tenant) showLogout(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prune()
	b := t.browserOf(w, r)
	request, problem := t.parseLogout(r.URL.Query())
	switch {
	case problem != nil:
		t.site.Fail(w, problem.status, "Oops!, something went wrong", problem.text)
	case b.user != nil && !request.hinted:
		t.site.Ask(w, oauthserver.Origin(request.redirectURI), portal.Ask{
			Heading: "Log out?", Lead: "You are signed in as " + b.user.Email + ".",
			Action: logoutPath + "?" + r.URL.RawQuery, Hidden: []portal.Field{{Name: "csrf_token", Value: b.csrf}}, Yes: "Log out",
		})
	default:
		// A session id that is not this browser's is disregarded.
		if !request.hinted || request.sessionID == "" || request.sessionID == b.sessionID {
			b.signOut()
		}
		t.loggedOut(w, request)
	}
}

// logout is the answer to the question.
func (t *Tenant) logout(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		t.site.Fail(w, http.StatusBadRequest, "This form can't be read", "Start again.")
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.browserOf(w, r)
	request, problem := t.parseLogout(r.URL.Query())
	switch {
	case problem != nil:
		t.site.Fail(w, problem.status, "Oops!, something went wrong", problem.text)
	case !random.Same(r.PostForm.Get("csrf_token"), b.csrf):
		t.site.Fail(w, http.StatusForbidden, "This form is out of date", "Open the page again.")
	case r.PostForm.Get("decision") != "authorise":
		t.site.Done(w, "You are still signed in", "Nothing was done.")
	default:
		b.signOut()
		t.loggedOut(w, request)
	}
}

func (t *Tenant) loggedOut(w http.ResponseWriter, request *logoutRequest) {
	if request.redirectURI == "" {
		t.site.Done(w, "You are logged out", "You can close this page.")
		return
	}
	to := request.redirectURI
	if request.state != "" {
		to = (&transaction{redirectURI: to, state: request.state}).reply(url.Values{})
	}
	portal.Redirect(w, to)
}

func (b *browser) signOut() { b.user, b.sessionID = nil, "" }
