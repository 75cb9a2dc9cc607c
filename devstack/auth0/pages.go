package auth0

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// Paths of the pages. All are below one path, that of their cookie.
const (
	loginPath        = "/u/login"
	organizationPath = "/u/organization"
	consentPath      = "/u/consent"
	activatePath     = "/u/activate"
)

func (t *Tenant) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+loginPath, t.step(t.showLogin))
	mux.HandleFunc("POST "+loginPath, t.step(t.login))
	mux.HandleFunc("GET "+organizationPath, t.step(t.showOrganizations))
	mux.HandleFunc("POST "+organizationPath, t.step(t.chooseOrganization))
	mux.HandleFunc("GET "+consentPath, t.step(t.showConsent))
	mux.HandleFunc("POST "+consentPath, t.step(t.consent))
	mux.HandleFunc("GET "+activatePath, t.showActivate)
	mux.HandleFunc("POST "+activatePath, t.activate)
	mux.HandleFunc("GET "+logoutPath, t.showLogout)
	mux.HandleFunc("POST "+logoutPath, t.logout)
	mux.HandleFunc("GET "+stylePath, portal.Style)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.site.Fail(w, http.StatusNotFound, "Not found", "The address "+r.URL.Path+" leads nowhere.")
	})
	return t.site.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	}))
}

// step finds the transaction of a page. It belongs to the browser that first showed it.
// The handler runs with the tenant locked.
func (t *Tenant) step(handle func(http.ResponseWriter, *http.Request, *transaction)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.site.Fail(w, http.StatusBadRequest, "This form can't be read", "Start again.")
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.prune()
		tx, b := t.transactions[r.Form.Get("state")], t.browserOf(w, r)
		if tx != nil && tx.browser == nil && r.Method == http.MethodGet {
			tx.browser = b
		}
		if tx == nil || tx.browser != b {
			t.site.Fail(w, http.StatusBadRequest, "This sign-in is not yours, or it is too old", "Start again from where you came.")
			return
		}
		handle(w, r, tx)
	}
}

func (tx *transaction) hidden() []portal.Field { return []portal.Field{{Name: "state", Value: tx.id}} }

func (tx *transaction) page(path string) string {
	return path + "?" + url.Values{"state": {tx.id}}.Encode()
}

func (t *Tenant) showLogin(w http.ResponseWriter, _ *http.Request, tx *transaction) {
	if tx.browser.user != nil && (tx.prompt != "login" || tx.signedIn) {
		t.advance(w, tx)
		return
	}
	if tx.prompt == "none" {
		t.end(w, tx, tx.fail(errOAuth(400, "login_required", "Login required")))
		return
	}
	t.renderLogin(w, http.StatusOK, tx, tx.loginHint, "")
}

func (t *Tenant) renderLogin(w http.ResponseWriter, status int, tx *transaction, email, problem string) {
	var accounts []portal.Account
	for _, u := range t.users {
		if u.Password != "" {
			accounts = append(accounts, portal.Account{Name: u.Name, Email: u.Email})
		}
	}
	t.site.SignIn(w, status, oauthserver.Origin(tx.redirectURI), portal.SignIn{
		Action: loginPath, Hidden: tx.hidden(), Accounts: accounts, Email: email, Problem: problem,
	})
}

func (t *Tenant) login(w http.ResponseWriter, r *http.Request, tx *transaction) {
	email := strings.TrimSpace(r.PostForm.Get("email"))
	account := t.userByEmail(r.PostForm.Get("account"))
	if account == nil {
		account = t.userByEmail(email)
		if account == nil || account.Password == "" || !random.Same(account.Password, r.PostForm.Get("password")) {
			t.renderLogin(w, http.StatusBadRequest, tx, email, "Wrong email or password")
			return
		}
	}
	tx.browser = t.newBrowser(w, tx.browser)
	tx.browser.signIn(account, t.now())
	tx.signedIn = true
	t.advance(w, tx)
}

// advance leads to the next page that the transaction needs, or ends it.
func (t *Tenant) advance(w http.ResponseWriter, tx *transaction) {
	g := tx.grant
	g.user, g.authTime, g.sessionID = tx.browser.user, tx.browser.authTime, tx.browser.sessionID
	if err := t.enterOrganization(tx); err != nil {
		t.end(w, tx, tx.fail(err))
		return
	}
	switch {
	case g.organization == nil && g.application.Organizations == OrganizationsRequire:
		portal.Redirect(w, tx.page(organizationPath))
	case tx.device != nil:
		t.activated(w, tx)
	case !tx.confirmed && !verifiable(tx.redirectURI) && !t.opts.SkipCallbackConfirmation:
		if tx.prompt == "none" {
			t.end(w, tx, tx.fail(errOAuth(400, "interaction_required", "Confirmation required for a non-verifiable callback")))
			return
		}
		portal.Redirect(w, tx.page(consentPath))
	default:
		t.end(w, tx, t.complete(tx))
	}
}

// enterOrganization adds the requested organization to the grant, if the person belongs
// to it.
func (t *Tenant) enterOrganization(tx *transaction) error {
	u := tx.grant.user
	if tx.organization == "" {
		if tx.grant.application.Organizations == OrganizationsRequire && len(u.organizations) == 0 {
			return errOAuth(400, "invalid_request", "client requires organization membership, but user does not belong to any organization")
		}
		return nil
	}
	org := t.organization(tx.organization)
	for _, member := range u.organizations {
		if member == org {
			tx.grant.organization = org
			return nil
		}
	}
	return errOAuth(400, "access_denied", "user "+u.ID+" is not part of the "+org.ID+" organization")
}

func (t *Tenant) showOrganizations(w http.ResponseWriter, _ *http.Request, tx *transaction) {
	if tx.browser.user == nil {
		portal.Redirect(w, tx.page(loginPath))
		return
	}
	page := portal.Choose{
		Heading: "Select your organization", Lead: "Choose the organization with which you want to sign in to " + tx.grant.application.Name + ".",
		Action: organizationPath, Hidden: tx.hidden(), Name: "organization",
	}
	for _, org := range tx.browser.user.organizations {
		page.Choices = append(page.Choices, portal.Choice{Value: org.ID, Text: org.DisplayName, Detail: org.Name})
	}
	t.site.Choose(w, oauthserver.Origin(tx.redirectURI), page)
}

func (t *Tenant) chooseOrganization(w http.ResponseWriter, r *http.Request, tx *transaction) {
	org := t.organization(r.PostForm.Get("organization"))
	if tx.browser.user == nil || org == nil {
		t.site.Fail(w, http.StatusBadRequest, "No organization was chosen", "Go back and press one of the buttons.")
		return
	}
	tx.organization = org.ID
	t.advance(w, tx)
}

func (t *Tenant) showConsent(w http.ResponseWriter, _ *http.Request, tx *transaction) {
	if tx.browser.user == nil {
		portal.Redirect(w, tx.page(loginPath))
		return
	}
	t.site.Ask(w, oauthserver.Origin(tx.redirectURI), portal.Ask{
		Heading: "Continue to " + tx.grant.application.Name + "?", Lead: "A program on this computer asks to sign in as you.",
		Facts: []portal.Fact{{Term: "Signed in as", Value: tx.browser.user.Email}, {Term: "Answer goes to", Value: tx.redirectURI}},
		Note:  "Continue only if you started this yourself.", Action: consentPath, Hidden: tx.hidden(), Yes: "Continue",
	})
}

func (t *Tenant) consent(w http.ResponseWriter, r *http.Request, tx *transaction) {
	switch {
	case tx.browser.user == nil:
		portal.Redirect(w, tx.page(loginPath))
	case r.PostForm.Get("decision") == "authorise":
		tx.confirmed = true
		t.advance(w, tx)
	default:
		t.end(w, tx, tx.fail(errOAuth(400, "access_denied", "User did not authorize the request")))
	}
}

// complete issues the code.
func (t *Tenant) complete(tx *transaction) string {
	if err := t.runAction(tx.grant, false); err != nil {
		return tx.fail(err)
	}
	id := random.String(43)
	t.codes[id] = &code{grant: tx.grant, redirectURI: tx.redirectURI, challenge: tx.challenge, expireAt: t.now().Add(codeLifetime)}
	return tx.reply(url.Values{"code": {id}})
}

func (t *Tenant) end(w http.ResponseWriter, tx *transaction, to string) {
	delete(t.transactions, tx.id)
	portal.Redirect(w, to)
}
