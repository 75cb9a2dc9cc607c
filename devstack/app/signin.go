package app

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// signInPage is what the sign-in page shows.
type signInPage struct {
	CSRF     string
	ReturnTo string
	Accounts []Account
	Email    string
	Problem  string
	// AskCode is the second half of a sign-in by e-mail code.
	AskCode bool
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
	a.render(w, http.StatusOK, "home", "Signed in", "", struct{ Name, Email, CSRF string }{
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
	a.renderSignIn(w, http.StatusOK, signInPage{CSRF: session.csrf, ReturnTo: returnTo})
}

func (a *App) renderSignIn(w http.ResponseWriter, status int, page signInPage) {
	page.Accounts = a.opts.Accounts
	a.render(w, status, "sign-in", "Sign in", "", page)
}

func (a *App) signIn(w http.ResponseWriter, r *http.Request) {
	session := a.sessions.get(r)
	if !session.checks(r) {
		a.fail(w, http.StatusForbidden, "This form is out of date", "Open the sign-in page again. If it keeps happening, allow cookies for this address.")
		return
	}
	page := signInPage{CSRF: session.csrf, ReturnTo: safeReturn(r.PostFormValue("return_to")), Email: strings.TrimSpace(r.PostFormValue("email"))}
	who, err := a.check(r, session, &page)
	var refused *clerkError
	switch {
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		page.Problem = refused.Text
		a.renderSignIn(w, http.StatusUnprocessableEntity, page)
	case err != nil:
		a.clerkDown(w, err)
	case who == nil:
		a.renderSignIn(w, http.StatusOK, page)
	default:
		a.sessions.start(w, r, who)
		http.Redirect(w, r, page.ReturnTo, http.StatusSeeOther)
	}
}

// check does what the pressed button says. No person and no error means that the
// page has a further question.
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
		pending, err := a.clerk.sendCode(ctx, page.Email)
		if err != nil {
			return nil, err
		}
		page.AskCode = true
		a.sessions.setPending(session, pending)
		return nil, nil
	case "check-code":
		pending := a.sessions.pendingOf(session)
		if pending == nil {
			return nil, &clerkError{Status: http.StatusUnprocessableEntity, Code: "no_code", Text: "Ask for a new code."}
		}
		page.AskCode, page.Email = true, pending.email
		return a.clerk.code(ctx, pending, strings.TrimSpace(r.PostFormValue("code")))
	default:
		return a.clerk.password(ctx, page.Email, r.PostFormValue("password"))
	}
}

func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	session := a.sessions.get(r)
	if !session.checks(r) {
		a.fail(w, http.StatusForbidden, "This form is out of date", "Open the app again and sign out from there.")
		return
	}
	if session.person != nil {
		// The browser is signed out whatever Clerk says; a session that lives on
		// there is worth a line in the log.
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
