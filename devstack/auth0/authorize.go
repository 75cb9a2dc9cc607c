package auth0

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// Lifetimes of a person's unfinished requests.
const (
	transactionLifetime = time.Hour
	codeLifetime        = 10 * time.Minute
)

// transaction is a request that waits for a person: an authorization request of
// a browser, or a device that was activated.
type transaction struct {
	id       string
	expireAt time.Time
	browser  *browser // set once a browser has shown it
	grant    *grant
	device   *device // nil for /authorize

	redirectURI  string
	state        string
	challenge    string
	prompt       string
	loginHint    string
	organization string // asked for, id or name

	signedIn  bool // with this transaction, as prompt=login wants
	confirmed bool // the redirect to a loopback address
}

// code is an authorization code. It can be used once.
type code struct {
	grant       *grant
	redirectURI string
	challenge   string
	expireAt    time.Time
}

// authorize starts a sign-in. Until the redirect URI is known to be the application's,
// errors are shown as pages.
func (t *Tenant) authorize(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		t.site.Fail(w, http.StatusBadRequest, "Oops!, something went wrong", "invalid_request: the request can't be read")
		return
	}
	t.mu.Lock()
	next, problem := t.begin(r.Form)
	t.mu.Unlock()
	if problem != nil {
		t.site.Fail(w, problem.status, "Oops!, something went wrong", problem.text)
		return
	}
	portal.Redirect(w, next)
}

// begin checks an authorization request and returns where the browser goes next.
func (t *Tenant) begin(q url.Values) (next string, problem *oauthError) {
	t.prune()
	application := t.applications[q.Get("client_id")]
	if application == nil {
		// An assumption: the page says so, but its status isn't documented.
		return "", errOAuth(http.StatusBadRequest, "invalid_request", "invalid_request: Unknown client: "+q.Get("client_id"))
	}
	redirectURI := q.Get("redirect_uri")
	if !slices.Contains(t.callbacks(application), redirectURI) {
		return "", errOAuth(http.StatusForbidden, "unauthorized_client",
			"Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs.")
	}
	if problem := lacking(q, lackingAuthorize); problem != nil {
		return "", problem
	}
	tx := &transaction{
		id: random.String(32), expireAt: t.now().Add(transactionLifetime), redirectURI: redirectURI, state: q.Get("state"),
		challenge: q.Get("code_challenge"), prompt: q.Get("prompt"), loginHint: q.Get("login_hint"), organization: q.Get("organization"),
		grant: &grant{application: application, nonce: q.Get("nonce")},
	}
	if err := t.check(tx, q); err != nil {
		return tx.fail(err), nil
	}
	t.transactions[tx.id] = tx
	return loginPath + "?" + url.Values{"state": {tx.id}}.Encode(), nil
}

// check returns the errors that are reported to the application.
func (t *Tenant) check(tx *transaction, q url.Values) error {
	application := tx.grant.application
	for _, name := range []string{"state", "scope", "audience", "code_challenge", "organization", "response_type"} {
		if len(q[name]) > 1 {
			return errOAuth(400, "invalid_request", "Duplicate parameter: "+name)
		}
	}
	switch kind := q.Get("response_type"); {
	case kind == "":
		return errMissing("response_type")
	case kind != "code":
		return errOAuth(400, "unsupported_response_type", "Unsupported response type: "+kind)
	case !slices.Contains(application.GrantTypes, GrantCode):
		return errGrantRefused(GrantCode)
	case tx.challenge != "" && q.Get("code_challenge_method") != "S256":
		return errOAuth(400, "invalid_request", "code_challenge_method must be S256")
	case tx.challenge != "" && !oauthserver.ValidChallenge(tx.challenge):
		return errOAuth(400, "invalid_request", "Parameter 'code_challenge' must be 43 URL-safe characters")
	case tx.organization != "" && application.Organizations == OrganizationsDeny:
		return errOAuth(400, "invalid_request", "parameter organization is not allowed for this client")
	case tx.organization != "" && t.organization(tx.organization) == nil:
		return errOAuth(400, "invalid_request", "parameter organization is invalid")
	}
	api, err := t.findAPI(q.Get("audience"))
	if err != nil {
		return err
	}
	tx.grant.api, tx.grant.scopes = api, allowedScopes(q.Get("scope"), api)
	return nil
}

// fail returns the redirect that tells the application of an error.
func (tx *transaction) fail(err error) string {
	e := errOAuth(500, "server_error", "Internal Server Error")
	errors.As(err, &e)
	return tx.reply(url.Values{"error": {e.code}, "error_description": {e.text}})
}

func (tx *transaction) reply(answer url.Values) string {
	if tx.state != "" {
		answer.Set("state", tx.state)
	}
	return oauthserver.Reply(tx.redirectURI, answer)
}

// verifiable reports whether only the owner of a redirect URI can receive a redirect:
// Auth0 asks the person before it redirects to a loopback address or a custom scheme.
func verifiable(redirectURI string) bool {
	u, err := url.Parse(redirectURI)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return false
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		return !ip.IsLoopback()
	}
	return u.Hostname() != "localhost"
}
