package app

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/devstack/portal"
)

// signInPage is the data of the sign-in page.
type signInPage struct {
	csrf     string
	returnTo string
	email    string
	problem  string
	askCode  bool // the second half of a sign-in by e-mail code
}

func (a *App) home(w http.ResponseWriter, r *http.Request) {
	session, err := a.signedIn(r.Context(), r)
	if err != nil {
		a.clerkDown(w, err)
		return
	}
	if session == nil {
		http.Redirect(w, r, SignInPath, http.StatusSeeOther)
		return
	}
	a.site.Render(w, http.StatusOK, "home", "Signed in", "", struct{ Name, Email, CSRF string }{
		session.person.name, session.person.email, session.csrf,
	})
}

func (a *App) showSignIn(w http.ResponseWriter, r *http.Request) {
	returnTo := safeReturn(r.URL.Query().Get("return_to"))
	session, err := a.signedIn(r.Context(), r)
	if err != nil {
		a.clerkDown(w, err)
		return
	}
	if session != nil {
		http.Redirect(w, r, returnTo, http.StatusSeeOther)
		return
	}
	// A second tab shares the first one's session, so that both forms work.
	if session = a.sessions.get(r); session == nil || session.person != nil {
		session = a.sessions.start(w, r, nil)
	}
	a.renderSignIn(w, http.StatusOK, signInPage{csrf: session.csrf, returnTo: returnTo})
}

func (a *App) renderSignIn(w http.ResponseWriter, status int, page signInPage) {
	var accounts []portal.Account
	for _, account := range a.opts.Accounts {
		accounts = append(accounts, portal.Account{Name: account.Name, Email: account.Email})
	}
	a.site.SignIn(w, status, "", portal.SignIn{
		Action: SignInPath, Accounts: accounts, Email: page.email, Problem: page.problem, OfferCode: true, AskCode: page.askCode,
		Hidden: []portal.Field{{Name: "csrf_token", Value: page.csrf}, {Name: "return_to", Value: page.returnTo}},
	})
}

func (a *App) signIn(w http.ResponseWriter, r *http.Request) {
	session := a.sessions.get(r)
	if !session.checks(r) {
		a.site.Fail(w, http.StatusForbidden, "This form is out of date", "Open the sign-in page again. If it keeps happening, allow cookies for this address.")
		return
	}
	page := signInPage{csrf: session.csrf, returnTo: safeReturn(r.PostFormValue("return_to")), email: strings.TrimSpace(r.PostFormValue("email"))}
	who, err := a.check(r, session, &page)
	var refused *clerkError
	switch {
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		page.problem = refused.Text
		a.renderSignIn(w, http.StatusUnprocessableEntity, page)
	case err != nil:
		a.clerkDown(w, err)
	case who == nil:
		a.renderSignIn(w, http.StatusOK, page)
	default:
		a.sessions.start(w, r, who)
		http.Redirect(w, r, page.returnTo, http.StatusSeeOther)
	}
}

// check performs the action of the clicked button. No person and no error means that the
// page has another question.
func (a *App) check(r *http.Request, session *browserSession, page *signInPage) (*person, error) {
	ctx := r.Context()
	if email := r.PostFormValue("account"); email != "" {
		for _, account := range a.opts.Accounts {
			if account.Email == email {
				return a.clerk.password(ctx, email, account.Password)
			}
		}
		return nil, &clerkError{Status: http.StatusUnprocessableEntity, Code: "unknown_account", Text: "There is no such development account."}
	}
	switch r.PostFormValue("step") {
	case "send-code":
		pending, err := a.clerk.sendCode(ctx, page.email)
		if err != nil {
			return nil, err
		}
		page.askCode = true
		a.sessions.setPending(session, pending)
		return nil, nil
	case "check-code":
		pending := a.sessions.pendingOf(session)
		if pending == nil {
			return nil, &clerkError{Status: http.StatusUnprocessableEntity, Code: "no_code", Text: "Ask for a new code."}
		}
		page.askCode, page.email = true, pending.email
		return a.clerk.code(ctx, pending, strings.TrimSpace(r.PostFormValue("code")))
	default:
		return a.clerk.password(ctx, page.email, r.PostFormValue("password"))
	}
}

func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	session := a.sessions.get(r)
	if !session.checks(r) {
		a.site.Fail(w, http.StatusForbidden, "This form is out of date", "Open the app again and sign out from there.")
		return
	}
	if session.person != nil {
		// The browser is signed out whatever Clerk says; a session that stays active
		// there is logged.
		if err := a.clerk.signOut(r.Context(), session.person); err != nil {
			a.opts.Logger.Warn("app: sign out", "error", err)
		}
	}
	a.sessions.end(w, session)
	next := url.Values{"return_to": {safeReturn(r.PostFormValue("return_to"))}}
	http.Redirect(w, r, SignInPath+"?"+next.Encode(), http.StatusSeeOther)
}

// safeReturn keeps a return address inside the app: a path under /app/ and
// nothing that a browser could read as another host.
func safeReturn(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(u.Path, "/app/") ||
		strings.ContainsAny(to, "\\\r\n\t") || strings.Contains(u.Path, "..") {
		return "/app/"
	}
	return u.RequestURI()
}
