package clerk

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// oauthTransaction is a request that waits for a person: an authorization
// request of a browser, or a device.
type oauthTransaction struct {
	id       string
	expireAt time.Time
	browser  *portalBrowser // once a browser has shown it
	grant    *oauthGrant
	device   *oauthDevice // nil for /oauth/authorize

	redirectURI string
	state       string
	challenge   string
	prompt      string
	signedIn    bool // with this transaction, as prompt=login wants
	chosen      bool // the organization
}

type oauthCode struct {
	grant       *oauthGrant
	redirectURI string
	challenge   string
	expireAt    time.Time
}

func errRedirectMismatch() *apiError {
	return &apiError{status: 400, code: "redirect_uri_mismatch", message: "invalid redirect uri provided",
		long: "The redirect_uri does not exactly match a redirect URI registered for this OAuth application."}
}

func errOAuthClientNotFound() *apiError {
	return &apiError{status: 401, code: "oauth_application_not_found", message: "OAuth application not found",
		long: "No OAuth application was found with the given client_id"}
}

// oauthAuthorize begins a sign-in. Until the redirect URI is known to be the
// application's, errors are answered and not redirected.
func (inst *Instance) oauthAuthorize(w http.ResponseWriter, r *http.Request) {
	err := inst.weather()
	if err == nil && r.ParseForm() != nil {
		err = errMalformed()
	}
	var next string
	if err == nil {
		inst.mu.Lock()
		inst.prune()
		next, err = inst.beginOAuth(r.Form)
		inst.mu.Unlock()
	}
	if err != nil {
		writeError(w, err)
		return
	}
	portal.Redirect(w, next)
}

func (inst *Instance) beginOAuth(q url.Values) (next string, err error) {
	application := inst.oauth.applications[q.Get("client_id")]
	if application == nil {
		return "", errOAuthClientNotFound()
	}
	if !application.allows(q.Get("redirect_uri")) || inst.fault(FaultRedirectMismatch) {
		return "", errRedirectMismatch()
	}
	tx := &oauthTransaction{
		id: random.String(32), expireAt: inst.now().Add(time.Hour), redirectURI: q.Get("redirect_uri"), state: q.Get("state"),
		challenge: q.Get("code_challenge"), prompt: q.Get("prompt"),
		grant: &oauthGrant{application: application, nonce: q.Get("nonce")},
	}
	if err := tx.check(q); err != nil {
		return tx.fail(err), nil
	}
	inst.oauth.transactions[tx.id] = tx
	return tx.page(), nil
}

// check returns the errors that are reported to the application.
func (tx *oauthTransaction) check(q url.Values) (err error) {
	for _, name := range []string{"state", "scope", "code_challenge", "response_type"} {
		if len(q[name]) > 1 {
			return errOAuth(400, "invalid_request", "The request repeats the parameter "+name)
		}
	}
	application := tx.grant.application
	switch {
	case q.Get("response_type") != "code":
		return errOAuth(400, "unsupported_response_type", "The authorization server does not support obtaining a token using this method.")
	case len(tx.state) < 8 && (tx.state != "" || tx.challenge == ""):
		return errOAuth(400, "invalid_state", "The state is missing or does not have enough characters and is therefore considered too weak. Request parameter 'state' must be at least be 8 characters long to ensure sufficient entropy.")
	case tx.challenge == "" && (application.Secret == "" || application.PKCERequired):
		return errOAuth(400, "invalid_request", "Clients must include a code_challenge when performing the authorize code flow, but it is missing.")
	case tx.challenge != "" && q.Get("code_challenge_method") != "S256":
		return errOAuth(400, "invalid_request", "Clients must use code_challenge_method=S256, plain is not allowed.")
	case tx.challenge != "" && !oauthserver.ValidChallenge(tx.challenge):
		return errOAuth(400, "invalid_request", "The code_challenge is not a base64url SHA-256.")
	}
	tx.grant.scopes, err = requestedScopes(q.Get("scope"), application)
	return err
}

func (tx *oauthTransaction) page() string {
	return portalSignIn + "?" + url.Values{"state": {tx.id}}.Encode()
}

// fail returns the redirect that tells the application of an error.
func (tx *oauthTransaction) fail(err error) string {
	e := errOAuth(500, "server_error", "The authorization server encountered an unexpected condition")
	errors.As(err, &e)
	return tx.reply(url.Values{"error": {e.code}, "error_description": {e.text}})
}

func (tx *oauthTransaction) reply(answer url.Values) string {
	if tx.state != "" {
		answer.Set("state", tx.state)
	}
	return oauthserver.Reply(tx.redirectURI, answer)
}

// completeOAuth issues the code.
func (inst *Instance) completeOAuth(tx *oauthTransaction) string {
	id := random.String(43)
	inst.oauth.codes[id] = &oauthCode{
		grant: tx.grant, redirectURI: tx.redirectURI, challenge: tx.challenge, expireAt: inst.now().Add(oauthCodeLifetime),
	}
	return tx.reply(url.Values{"code": {id}})
}
