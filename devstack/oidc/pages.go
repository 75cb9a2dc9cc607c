package oidc

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// Paths of the pages.
const (
	loginPath   = Path + "/ui/login"
	consentPath = Path + "/ui/consent"
	stylePath   = Path + "/ui/style.css"
	devicePath  = Path + "/device"
	logoutPath  = Path + "/logout"
)

const (
	cookieName      = "oidc"
	browserLifetime = 10 * time.Hour
)

// browser is one browser, and who is signed in to it.
type browser struct {
	id       string
	expireAt time.Time
	user     *User
	authTime time.Time
}

func (i *Issuer) pages(mux *http.ServeMux) {
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET " + loginPath: i.step(i.showLogin), "POST " + loginPath: i.step(i.login),
		"GET " + consentPath: i.step(i.showConsent), "POST " + consentPath: i.step(i.consent),
		"GET " + devicePath: i.showDevice, "POST " + devicePath: i.showDevice,
		"GET " + logoutPath: i.logout, "POST " + logoutPath: i.logout,
		"GET " + stylePath: portal.Style,
	} {
		mux.Handle(pattern, i.site.Guard(handle))
	}
}

func (i *Issuer) browserOf(w http.ResponseWriter, r *http.Request) *browser {
	if cookie, err := r.Cookie(cookieName); err == nil {
		if b := i.browsers[cookie.Value]; b != nil {
			return b
		}
	}
	return i.newBrowser(w)
}

// newBrowser starts a browser's record. Signing in does so, too: an id never survives it.
func (i *Issuer) newBrowser(w http.ResponseWriter) *browser {
	b := &browser{id: random.String(32), expireAt: i.now().Add(browserLifetime)}
	i.browsers[b.id] = b
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: b.id, Path: Path, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(browserLifetime / time.Second),
	})
	return b
}

// step finds the transaction of a page. It belongs to the browser that first showed it.
// The handler runs with the issuer locked.
func (i *Issuer) step(handle func(http.ResponseWriter, *http.Request, *transaction)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			i.site.Fail(w, http.StatusBadRequest, "The form can't be read", "Start again.")
			return
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		i.prune()
		tx, b := i.transactions[r.Form.Get("tx")], i.browserOf(w, r)
		if tx != nil && tx.browser == nil && r.Method == http.MethodGet {
			tx.browser = b
		}
		if tx == nil || tx.browser != b {
			i.site.Fail(w, http.StatusBadRequest, "This sign-in is not yours, or it is too old", "Start again from where you came.")
			return
		}
		handle(w, r, tx)
	}
}

func (tx *transaction) hidden() []portal.Field { return []portal.Field{{Name: "tx", Value: tx.id}} }

func (i *Issuer) showLogin(w http.ResponseWriter, _ *http.Request, tx *transaction) {
	switch {
	case tx.browser.user != nil && (tx.prompt != "login" || tx.signedIn):
		portal.Redirect(w, tx.page(consentPath))
	case tx.prompt == "none":
		i.end(w, tx, i.fail(tx, errOAuth(400, "login_required", "Nobody is signed in")))
	default:
		i.renderLogin(w, http.StatusOK, tx, tx.loginHint, "")
	}
}

func (i *Issuer) renderLogin(w http.ResponseWriter, status int, tx *transaction, email, problem string) {
	var accounts []portal.Account
	for _, u := range i.users {
		if u.Password != "" {
			accounts = append(accounts, portal.Account{Name: u.Name, Email: u.Email})
		}
	}
	i.site.SignIn(w, status, oauthserver.Origin(tx.redirectURI), portal.SignIn{Action: loginPath, Hidden: tx.hidden(), Accounts: accounts, Email: email, Problem: problem})
}

func (i *Issuer) login(w http.ResponseWriter, r *http.Request, tx *transaction) {
	email := strings.TrimSpace(r.PostForm.Get("email"))
	u := i.userByEmail(r.PostForm.Get("account"))
	if u == nil {
		if u = i.userByEmail(email); u == nil || u.Password == "" || !random.Same(u.Password, r.PostForm.Get("password")) {
			i.renderLogin(w, http.StatusBadRequest, tx, email, "Wrong email or password")
			return
		}
	}
	delete(i.browsers, tx.browser.id)
	tx.browser = i.newBrowser(w)
	tx.browser.user, tx.browser.authTime, tx.signedIn = u, i.now(), true
	portal.Redirect(w, tx.page(consentPath))
}

func (i *Issuer) showConsent(w http.ResponseWriter, _ *http.Request, tx *transaction) {
	switch {
	case tx.browser.user == nil:
		portal.Redirect(w, tx.page(loginPath))
		return
	case tx.prompt == "none":
		i.end(w, tx, i.fail(tx, errOAuth(400, "consent_required", "The person has to be asked")))
		return
	}
	facts := []portal.Fact{{Term: "Signed in as", Value: tx.browser.user.Email}}
	if tx.device != nil {
		facts = append(facts, portal.Fact{Term: "Your device shows", Value: tx.device.userCode, Compare: true})
	}
	i.site.Ask(w, oauthserver.Origin(tx.redirectURI), portal.Ask{
		Heading: "Grant access to " + tx.grant.client.Name + "?", Lead: "It will see: " + strings.Join(tx.grant.scopes, ", ") + ".",
		Facts: facts, Note: "Continue only if you started this yourself.", Action: consentPath, Hidden: tx.hidden(), Yes: "Yes",
	})
}

func (i *Issuer) consent(w http.ResponseWriter, r *http.Request, tx *transaction) {
	if tx.browser.user == nil {
		portal.Redirect(w, tx.page(loginPath))
		return
	}
	allowed := r.PostForm.Get("decision") == "authorise"
	tx.grant.user, tx.grant.authTime = tx.browser.user, tx.browser.authTime
	switch {
	case tx.device != nil:
		delete(i.transactions, tx.id)
		if tx.device.answered || !i.now().Before(tx.device.expireAt) {
			i.site.Fail(w, http.StatusBadRequest, "This code was used already", "Start again on your device.")
			return
		}
		tx.device.answered, tx.device.allowed = true, allowed
		if allowed {
			i.site.Done(w, "Device connected", "You can go back to your device.")
		} else {
			i.site.Done(w, "Device refused", "Nothing was granted.")
		}
	case !allowed:
		i.end(w, tx, i.fail(tx, errOAuth(400, "access_denied", "The person refused")))
	default:
		id := random.String(43)
		i.codes[id] = &code{tx.grant, tx.redirectURI, tx.challenge, i.now().Add(codeLifetime)}
		i.end(w, tx, i.reply(tx, url.Values{"code": {id}}))
	}
}

func (i *Issuer) end(w http.ResponseWriter, tx *transaction, to string) {
	delete(i.transactions, tx.id)
	portal.Redirect(w, to)
}

// logout ends the browser's session, given an id_token of this issuer (OpenID Connect
// RP-Initiated Logout), along with the refresh tokens of its person and client.
func (i *Issuer) logout(w http.ResponseWriter, r *http.Request) {
	hint, to := r.FormValue("id_token_hint"), r.FormValue("post_logout_redirect_uri")
	i.mu.Lock()
	defer i.mu.Unlock()
	key, err := i.signingKey()
	if err != nil {
		i.site.Fail(w, http.StatusInternalServerError, "Something went wrong", "Try again.")
		return
	}
	var claims jwt.RegisteredClaims
	_, err = jwt.ParseWithClaims(hint, &claims, func(*jwt.Token) (any, error) { return &key.Private.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	if err != nil || len(claims.Audience) != 1 || i.client(claims.Audience[0]) == nil {
		i.site.Fail(w, http.StatusBadRequest, "Missing parameters", "A logout needs the id_token of the sign-in.")
		return
	}
	c := i.client(claims.Audience[0])
	if to != "" && !slices.Contains(c.LogoutURIs, to) {
		i.site.Fail(w, http.StatusBadRequest, "Invalid redirect uri", "The client "+c.ID+" has no logout address "+to+".")
		return
	}
	if b := i.browserOf(w, r); b.user != nil && b.user.Subject == claims.Subject {
		b.user = nil
	}
	maps.DeleteFunc(i.refresh, func(_ string, t *refreshToken) bool {
		return t.grant.client == c && t.grant.user.Subject == claims.Subject
	})
	if to == "" {
		i.site.Done(w, "You are logged out", "You can close this page.")
		return
	}
	tx := &transaction{redirectURI: to, state: r.FormValue("state")}
	portal.Redirect(w, i.reply(tx, url.Values{}))
}
