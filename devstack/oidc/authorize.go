package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

const (
	transactionLifetime = 30 * time.Minute
	codeLifetime        = time.Minute
)

// transaction is a request that waits for a person: a browser's, or a device's.
type transaction struct {
	id       string
	expireAt time.Time
	browser  *browser // set once a browser has shown it
	grant    *grant
	device   *device // nil for /authorize

	redirectURI, state, challenge, prompt, loginHint string
	signedIn                                         bool // with this transaction, as prompt=login wants
}

// code is an authorization code. It can be used once.
type code struct {
	grant                  *grant
	redirectURI, challenge string
	expireAt               time.Time
}

// authorize starts a sign-in. Until the redirect URI is known to be the client's, errors
// are shown as pages.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		i.site.Fail(w, http.StatusBadRequest, "The request can't be read", "Start again.")
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.prune()
	q := r.Form
	c := i.client(q.Get("client_id"))
	switch {
	case c == nil:
		i.site.Fail(w, http.StatusBadRequest, "Client not found", "No client has the id "+q.Get("client_id")+".")
		return
	case !c.allows(q.Get("redirect_uri")):
		i.site.Fail(w, http.StatusBadRequest, "Invalid redirect_uri", "The client "+c.ID+" has no redirect URI "+q.Get("redirect_uri")+".")
		return
	}
	tx := &transaction{
		id: random.String(32), expireAt: i.now().Add(transactionLifetime), grant: &grant{client: c, nonce: q.Get("nonce")},
		redirectURI: q.Get("redirect_uri"), state: q.Get("state"), challenge: q.Get("code_challenge"), prompt: q.Get("prompt"), loginHint: q.Get("login_hint"),
	}
	if err := tx.check(q); err != nil {
		portal.Redirect(w, i.fail(tx, err))
		return
	}
	i.transactions[tx.id] = tx
	portal.Redirect(w, tx.page(loginPath))
}

// check returns the errors that are reported to the client.
func (tx *transaction) check(q url.Values) error {
	for _, name := range []string{"state", "scope", "code_challenge", "response_type", "nonce"} {
		if len(q[name]) > 1 {
			return errOAuth(400, "invalid_request", "The request repeats "+name)
		}
	}
	switch {
	case q.Get("response_type") != "code":
		return errOAuth(400, "unsupported_response_type", "The response type is not code")
	case tx.challenge == "" && tx.grant.client.Secret == "":
		return errOAuth(400, "invalid_request", "A public client needs a code_challenge")
	case tx.challenge != "" && (q.Get("code_challenge_method") != "S256" || !oauthserver.ValidChallenge(tx.challenge)):
		return errOAuth(400, "invalid_request", "The code_challenge is not one of the method S256")
	}
	tx.grant.scopes = scopesOf(q.Get("scope"))
	return nil
}

func (tx *transaction) page(path string) string {
	return path + "?" + url.Values{"tx": {tx.id}}.Encode()
}

// fail returns the redirect that tells the client of an error.
func (i *Issuer) fail(tx *transaction, err error) string {
	e := errOAuth(500, "server_error", "The server met an unexpected condition")
	errors.As(err, &e)
	return i.reply(tx, url.Values{"error": {e.code}, "error_description": {e.text}})
}

// reply returns a redirect to the client, with the issuer in iss (RFC 9207).
func (i *Issuer) reply(tx *transaction, answer url.Values) string {
	answer.Set("iss", i.Address())
	if tx.state != "" {
		answer.Set("state", tx.state)
	}
	return oauthserver.Reply(tx.redirectURI, answer)
}
