package clerk

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/zen-auth/zen/core/provider"
)

// The statuses of an attempt with which a program can go on.
const (
	StatusComplete     = "complete"
	StatusFirstFactor  = "needs_first_factor"
	StatusSecondFactor = "needs_second_factor"
	StatusClientTrust  = "needs_client_trust"
)

// Attempt is a sign-in of a new client that is under way.
type Attempt struct {
	ID     string
	Status string
	// FirstFactors and SecondFactors are what the account takes. The second are there
	// for StatusClientTrust, too.
	FirstFactors  []Factor
	SecondFactors []Factor

	session string
	client  provider.Secret
	view    *clientView
}

// Factor is a way to prove who one is.
type Factor struct {
	// Strategy is Clerk's name: email_code, totp, oauth_google.
	Strategy string `json:"strategy"`
	// EmailID and PhoneID say where a code goes.
	EmailID string `json:"email_address_id"`
	PhoneID string `json:"phone_number_id"`
	// Where is the address for people, with most of it hidden.
	Where string `json:"safe_identifier"`
}

// Sends reports whether the factor is a code that Clerk has to send first.
func (f Factor) Sends() bool { return f.Strategy == "email_code" || f.Strategy == "phone_code" }

// Begin begins a sign-in of the account with an identifier, such as an e-mail address.
func (f *Frontend) Begin(ctx context.Context, identifier string) (*Attempt, error) {
	const what = "begin the sign-in"
	a := &Attempt{}
	err := f.signIn(ctx, a, what, "", url.Values{"identifier": {identifier}})
	if err == nil && !isCode(a.ID) { // it goes into paths
		err = Unavailable(what, "the answer has no id of a sign-in")
	}
	return a, err
}

// Prepare has Clerk send the code of a factor.
func (f *Frontend) Prepare(ctx context.Context, a *Attempt, factor Factor) error {
	form := url.Values{"strategy": {factor.Strategy}}
	for name, value := range map[string]string{"email_address_id": factor.EmailID, "phone_number_id": factor.PhoneID} {
		if value != "" {
			form.Set(name, value)
		}
	}
	return f.signIn(ctx, a, "send a code", "/"+a.ID+"/prepare_"+a.step(), form)
}

// Answer proves a factor by its code.
func (f *Frontend) Answer(ctx context.Context, a *Attempt, factor Factor, code string) error {
	form := url.Values{"strategy": {factor.Strategy}, "code": {code}}
	return f.signIn(ctx, a, "check the code", "/"+a.ID+"/attempt_"+a.step(), form)
}

func (a *Attempt) step() string {
	if a.Status == StatusFirstFactor {
		return "first_factor"
	}
	return "second_factor"
}

// Session returns the session of a sign-in that is complete; the error says what another one
// lacks.
func (a *Attempt) Session() (*Session, error) {
	if a.Status != StatusComplete {
		return nil, incomplete(a.Status)
	}
	s := &Session{ID: a.session, Client: a.client}
	if !IsSessionID(s.ID) || s.Client.IsZero() {
		return nil, Unavailable("sign in", "the answer has no session and client of a native app")
	}
	s.adopt(a.view)
	return s, nil
}

// signIn makes one call of a sign-in, and takes over what it says of it.
func (f *Frontend) signIn(ctx context.Context, a *Attempt, what, path string, form url.Values) error {
	var answer struct {
		Response struct {
			ID            string   `json:"id"`
			Status        string   `json:"status"`
			SessionID     string   `json:"created_session_id"`
			FirstFactors  []Factor `json:"supported_first_factors"`
			SecondFactors []Factor `json:"supported_second_factors"`
		} `json:"response"`
		Client *clientView `json:"client"`
	}
	if err := f.do(ctx, call{what: what, method: http.MethodPost, path: "/v1/client/sign_ins" + path, form: form, client: &a.client}, &answer); err != nil {
		return err
	}
	r := answer.Response
	a.ID = cmp.Or(a.ID, r.ID)
	a.Status, a.session, a.view = r.Status, r.SessionID, answer.Client
	a.FirstFactors, a.SecondFactors = r.FirstFactors, r.SecondFactors
	return nil
}

// SignIn exchanges a ticket for a session of a new client.
func (f *Frontend) SignIn(ctx context.Context, ticket provider.Secret) (*Session, error) {
	a := &Attempt{}
	form := url.Values{"strategy": {"ticket"}, "ticket": {ticket.Reveal()}}
	if err := f.signIn(ctx, a, "exchange the ticket", "", form); err != nil {
		return nil, err
	}
	return a.Session()
}

// incomplete explains a sign-in that can't go on in a terminal.
func incomplete(status string) error {
	reasons := map[string]string{
		StatusSecondFactor:    "the account needs a second factor, which a ticket does not carry",
		"needs_new_password":  "the account needs a new password",
		StatusClientTrust:     "Clerk wants this new device to be confirmed (client trust)",
		"needs_protect_check": "Clerk Protect wants a check that only a browser can do",
		StatusFirstFactor:     "Clerk did not take the ticket as a first factor",
		"needs_identifier":    "Clerk did not find a user in the ticket",
		"abandoned":           "the sign-in was abandoned",
	}
	reason, known := reasons[status]
	if !known {
		reason = fmt.Sprintf("the sign-in is %.40q, not complete", status)
	}
	return &provider.Error{
		Kind:    provider.ErrRejected,
		Message: "clerk: sign in: " + reason,
		Hint:    "sign in to your app in the browser, finish what it asks for, and run zen login again",
	}
}
