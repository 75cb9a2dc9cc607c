package app

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/zen-auth/zen/devstack/portal"
)

// bridgePage is the data of the bridge page.
type bridgePage struct {
	Request  string // identifies the request in the form
	Client   string
	Code     string
	Redirect string
	Name     string
	Email    string
	Lifetime time.Duration
	LongLife bool // mode=token

	// The page for someone who is signed in as another person.
	CSRF     string
	ReturnTo string
}

func (a *App) showBridge(w http.ResponseWriter, r *http.Request) {
	// Checked before anyone is asked to sign in: no one should type a password
	// on the way to a page that refuses them.
	req, err := parseBridgeRequest(r.URL.Query())
	if err != nil {
		a.site.Fail(w, http.StatusBadRequest, "This link can't be used", err.Error()+".")
		return
	}
	session, err := a.signedIn(r.Context(), r)
	if err != nil {
		a.clerkDown(w, err)
		return
	}
	if session == nil {
		http.Redirect(w, r, SignInPath+"?"+url.Values{"return_to": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	}
	a.site.Render(w, http.StatusOK, "bridge", "Authorise a terminal", req.origin, bridgePage{
		Request: a.sessions.open(session, req), Client: req.client, Code: req.code, Redirect: req.redirectURI,
		Name: session.person.name, Email: session.person.email,
		Lifetime: a.opts.TicketLifetime, LongLife: req.mode == "token",
		CSRF: session.csrf, ReturnTo: r.URL.RequestURI(),
	})
}

// answerBridge handles a click on a button. The form names a request that the page
// stored; nothing that decides where the ticket goes is read from the form.
func (a *App) answerBridge(w http.ResponseWriter, r *http.Request) {
	session, err := a.signedIn(r.Context(), r)
	if err != nil {
		a.clerkDown(w, err)
		return
	}
	if session == nil {
		a.site.Fail(w, http.StatusForbidden, "You are signed out", "Nothing was authorised. Start again from your terminal.")
		return
	}
	req, found, open := a.sessions.take(session, r.PostFormValue("request"))
	switch {
	case !found:
		a.site.Fail(w, http.StatusForbidden, "This form is not yours", "Nothing was authorised. Start again from your terminal.")
		return
	case !open:
		a.site.Fail(w, http.StatusConflict, "This request was answered already", "Each request can be answered once, within ten minutes. Start again from your terminal.")
		return
	}
	switch r.PostFormValue("decision") {
	case "authorise":
		answer, err := a.grant(r.Context(), session.person, req)
		if err != nil {
			a.clerkDown(w, err)
			return
		}
		portal.Redirect(w, req.reply(answer))
	case "cancel":
		portal.Redirect(w, req.reply(url.Values{"error": {"access_denied"}}))
	default:
		a.site.Fail(w, http.StatusBadRequest, "No decision was made", "Start again from your terminal and press one of the buttons.")
	}
}

// grant requests the ticket or token for the terminal from Clerk's Backend API. A token
// is accompanied by what it doesn't say about the person.
func (a *App) grant(ctx context.Context, who *person, req bridgeRequest) (url.Values, error) {
	if req.mode == "token" {
		token, err := a.clerk.templateToken(ctx, who.sessionID, a.opts.Template)
		return url.Values{"token": {token}, "name": {who.email}}, err
	}
	ticket, err := a.clerk.ticket(ctx, who.userID, a.opts.TicketLifetime)
	return url.Values{"ticket": {ticket}}, err
}
