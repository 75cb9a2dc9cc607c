package portal

import "net/http"

// Field is a hidden field of a form.
type Field struct{ Name, Value string }

// Account is a development user that the sign-in page offers on a button.
type Account struct{ Name, Email string }

// SignIn is the sign-in page. Its form sends email and password, or account (an
// e-mail address), or code, and step: password, send-code or check-code.
type SignIn struct {
	Action   string // where the form goes
	Hidden   []Field
	Accounts []Account
	Email    string
	Problem  string
	// OfferCode has a button for a code by e-mail, AskCode asks for that code.
	OfferCode, AskCode bool
}

// SignIn writes the sign-in page. Its form may redirect to formTarget.
func (s *Site) SignIn(w http.ResponseWriter, status int, formTarget string, page SignIn) {
	s.Render(w, status, "sign-in", "Sign in", formTarget, page)
}

// Fact is a line of what a page asks about.
type Fact struct {
	Term, Value string
	// Compare shows the value in large type, for comparison with another screen.
	Compare bool
}

// Ask is a page with a question. Its form sends decision: authorise or cancel.
type Ask struct {
	Heading, Lead, Note string
	Facts               []Fact
	Action              string
	Hidden              []Field
	Yes                 string // the button's text
}

// Ask writes a page that asks. The answer's redirect may lead to formTarget.
func (s *Site) Ask(w http.ResponseWriter, formTarget string, page Ask) {
	s.Render(w, http.StatusOK, "ask", page.Heading, formTarget, page)
}

// Choice is one of several buttons on a page.
type Choice struct{ Value, Text, Detail string }

// Choose is a page with several buttons, all of the name Name.
type Choose struct {
	Heading, Lead string
	Action        string
	Hidden        []Field
	Name          string
	Choices       []Choice
}

// Choose writes a page of choices.
func (s *Site) Choose(w http.ResponseWriter, formTarget string, page Choose) {
	s.Render(w, http.StatusOK, "choose", page.Heading, formTarget, page)
}

// Done writes a page that says that all is done.
func (s *Site) Done(w http.ResponseWriter, heading, text string) {
	s.Render(w, http.StatusOK, "done", heading, "", struct{ Heading, Text string }{heading, text})
}
