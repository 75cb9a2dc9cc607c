package clerk

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// The Account Portal, which at Clerk lives on a host of its own.
const (
	portalPath         = "/accounts/"
	portalSignIn       = "/accounts/sign-in"
	portalOrganization = "/accounts/organization"
	portalConsent      = "/accounts/oauth-consent"
	portalDevice       = "/accounts/device"
	portalStyle        = "/accounts/style.css"

	portalCookie   = "clerk_portal"
	portalLifetime = 7 * 24 * time.Hour
)

// portalBrowser is one browser at the Account Portal.
type portalBrowser struct {
	id       string
	expireAt time.Time
	user     *user // nil until signed in
}

func (inst *Instance) portalPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+portalSignIn, inst.portalStep((*Instance).showPortalSignIn))
	mux.HandleFunc("POST "+portalSignIn, inst.portalStep((*Instance).portalSignIn))
	mux.HandleFunc("POST "+portalOrganization, inst.portalStep((*Instance).chooseOAuthOrganization))
	mux.HandleFunc("POST "+portalConsent, inst.portalStep((*Instance).consentOAuth))
	mux.HandleFunc("GET "+portalDevice, inst.showDevice)
	mux.HandleFunc("POST "+portalDevice, inst.typeDevice)
	mux.HandleFunc("GET "+portalStyle, portal.Style)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		inst.site.Fail(w, http.StatusNotFound, "Not found", "The address "+r.URL.Path+" leads nowhere.")
	})
	return inst.site.Guard(mux)
}

// portalStep finds the transaction that a page is about. It belongs to the browser
// that showed it first. The handler runs with the instance locked.
func (inst *Instance) portalStep(handle func(*Instance, http.ResponseWriter, *http.Request, *oauthTransaction)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			inst.site.Fail(w, http.StatusBadRequest, "This form can't be read", "Start again.")
			return
		}
		inst.mu.Lock()
		defer inst.mu.Unlock()
		inst.prune()
		tx, b := inst.oauth.transactions[r.Form.Get("state")], inst.portalBrowser(w, r)
		if tx != nil && tx.browser == nil && r.Method == http.MethodGet {
			tx.browser = b
		}
		if tx == nil || tx.browser != b || !inst.now().Before(tx.expireAt) {
			inst.site.Fail(w, http.StatusBadRequest, "This sign-in is not yours, or it is too old", "Start again from where you came.")
			return
		}
		handle(inst, w, r, tx)
	}
}

// portalBrowser finds the browser's record or starts one.
func (inst *Instance) portalBrowser(w http.ResponseWriter, r *http.Request) *portalBrowser {
	if cookie, err := r.Cookie(portalCookie); err == nil {
		if b := inst.oauth.browsers[cookie.Value]; b != nil && inst.now().Before(b.expireAt) {
			return b
		}
	}
	return inst.newPortalBrowser(w)
}

func (inst *Instance) newPortalBrowser(w http.ResponseWriter) *portalBrowser {
	b := &portalBrowser{id: random.String(32), expireAt: inst.now().Add(portalLifetime)}
	inst.oauth.browsers[b.id] = b
	// Cookies are shared by all ports of a host. The path keeps this one from
	// other programs on 127.0.0.1, a terminal's callback among them.
	http.SetCookie(w, &http.Cookie{
		Name: portalCookie, Value: b.id, Path: "/accounts", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(portalLifetime / time.Second),
	})
	return b
}

func (tx *oauthTransaction) hidden() []portal.Field {
	return []portal.Field{{Name: "state", Value: tx.id}}
}

// formTarget returns the target of a page's form, for its policy.
func (tx *oauthTransaction) formTarget() string {
	return oauthserver.Origin(tx.redirectURI)
}

func (inst *Instance) showPortalSignIn(w http.ResponseWriter, _ *http.Request, tx *oauthTransaction) {
	switch {
	case tx.browser.user != nil && (tx.prompt != "login" || tx.signedIn):
		inst.advanceOAuth(w, tx)
	case tx.prompt == "none":
		inst.endOAuth(w, tx, tx.fail(errOAuth(400, "login_required", "The Authorization Server requires End-User authentication.")))
	default:
		inst.renderPortalSignIn(w, http.StatusOK, tx, "", "")
	}
}

func (inst *Instance) renderPortalSignIn(w http.ResponseWriter, status int, tx *oauthTransaction, email, problem string) {
	var accounts []portal.Account
	for _, u := range inst.users {
		if u.Password != "" {
			accounts = append(accounts, portal.Account{Name: u.FirstName, Email: u.Email})
		}
	}
	inst.site.SignIn(w, status, tx.formTarget(), portal.SignIn{
		Action: portalSignIn, Hidden: tx.hidden(), Accounts: accounts, Email: email, Problem: problem,
	})
}

func (inst *Instance) portalSignIn(w http.ResponseWriter, r *http.Request, tx *oauthTransaction) {
	email := strings.TrimSpace(r.PostForm.Get("email"))
	account := inst.userByEmail(r.PostForm.Get("account"))
	if account == nil || account.Password == "" {
		account = inst.userByEmail(email)
		if account == nil {
			inst.renderPortalSignIn(w, http.StatusUnprocessableEntity, tx, email, errIdentifierNotFound().long)
			return
		}
		if account.Password == "" || !random.Same(account.Password, r.PostForm.Get("password")) {
			inst.renderPortalSignIn(w, http.StatusUnprocessableEntity, tx, email, errPasswordIncorrect().long)
			return
		}
	}
	if refused, ok := errors.AsType[*apiError](inst.admitUser(account)); ok {
		inst.renderPortalSignIn(w, refused.status, tx, email, refused.long)
		return
	}
	// A new record: an id never survives sign-in.
	delete(inst.oauth.browsers, tx.browser.id)
	tx.browser = inst.newPortalBrowser(w)
	tx.browser.user, tx.signedIn = account, true
	inst.advanceOAuth(w, tx)
}

// advanceOAuth shows the next page that the transaction needs, or ends it.
func (inst *Instance) advanceOAuth(w http.ResponseWriter, tx *oauthTransaction) {
	g := tx.grant
	g.user = tx.browser.user
	asksOrganization := g.has("user:org:read") && !tx.chosen
	switch {
	case asksOrganization && len(g.user.memberships) == 1:
		g.organizationID = g.user.memberships[0].organization.ID
	case asksOrganization && len(g.user.memberships) > 1:
		page := portal.Choose{
			Heading: "Choose an organization", Lead: g.application.Name + " gets to know which one.", Action: portalOrganization,
			Hidden: tx.hidden(), Name: "organization",
		}
		for _, m := range g.user.memberships {
			page.Choices = append(page.Choices, portal.Choice{Value: m.organization.ID, Text: m.organization.Name, Detail: roleName(m.Role)})
		}
		inst.site.Choose(w, tx.formTarget(), page)
		return
	}
	if tx.device == nil && g.application.NoConsent && tx.prompt != "consent" {
		inst.endOAuth(w, tx, inst.completeOAuth(tx))
		return
	}
	if tx.prompt == "none" {
		inst.endOAuth(w, tx, tx.fail(errOAuth(400, "consent_required", "The Authorization Server requires End-User consent.")))
		return
	}
	page := portal.Ask{
		Heading: g.application.Name + " wants to access your account", Lead: "It asks for: " + strings.Join(g.scopes, ", ") + ".",
		Facts: []portal.Fact{{Term: "Signed in as", Value: g.user.Email}},
		Note:  "Continue only if you started this yourself.", Action: portalConsent, Hidden: tx.hidden(), Yes: "Allow",
	}
	if m := g.user.membership(g.organizationID); m != nil {
		page.Facts = append(page.Facts, portal.Fact{Term: "Organization", Value: m.organization.Name})
	}
	if tx.device != nil {
		page.Facts = append(page.Facts, portal.Fact{Term: "Your device shows", Value: tx.device.userCode, Compare: true})
	} else {
		page.Facts = append(page.Facts, portal.Fact{Term: "Answer goes to", Value: tx.redirectURI})
	}
	inst.site.Ask(w, tx.formTarget(), page)
}

func (inst *Instance) chooseOAuthOrganization(w http.ResponseWriter, r *http.Request, tx *oauthTransaction) {
	if tx.grant.user == nil {
		portal.Redirect(w, tx.page())
		return
	}
	m := tx.grant.user.membership(r.PostForm.Get("organization"))
	if m == nil {
		inst.site.Fail(w, http.StatusBadRequest, "No organization was chosen", "Go back and press one of the buttons.")
		return
	}
	tx.grant.organizationID, tx.chosen = m.organization.ID, true
	inst.advanceOAuth(w, tx)
}

func (inst *Instance) consentOAuth(w http.ResponseWriter, r *http.Request, tx *oauthTransaction) {
	allowed := r.PostForm.Get("decision") == "authorise"
	switch {
	case tx.grant.user == nil: // the person was not asked yet
		portal.Redirect(w, tx.page())
	case tx.device != nil:
		delete(inst.oauth.transactions, tx.id)
		inst.answerDevice(w, tx.device, allowed)
	case allowed:
		inst.endOAuth(w, tx, inst.completeOAuth(tx))
	default:
		inst.endOAuth(w, tx, tx.fail(errOAuth(400, "access_denied", "The resource owner denied the request")))
	}
}

func (inst *Instance) answerDevice(w http.ResponseWriter, d *oauthDevice, allowed bool) {
	switch {
	case d.status != oauthserver.DevicePending || !inst.now().Before(d.expireAt):
		inst.site.Fail(w, http.StatusBadRequest, "This code was used already", "Start again from your device.")
	case allowed:
		d.status = oauthserver.DeviceAllowed
		inst.site.Done(w, "Device connected", "You can close this page and go back to your device.")
	default:
		d.status = oauthserver.DeviceDenied
		inst.site.Done(w, "Request denied", "The device was not signed in.")
	}
}

func (inst *Instance) endOAuth(w http.ResponseWriter, tx *oauthTransaction, to string) {
	delete(inst.oauth.transactions, tx.id)
	portal.Redirect(w, to)
}
