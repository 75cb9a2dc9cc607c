package turso

import (
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"github.com/zen-auth/zen/devstack/portal"
)

const signInStyle = "/_turso/style.css"

// signInSite draws the pages at which a person signs in for a command-line program.
var signInSite = sync.OnceValue(func() *portal.Site {
	return portal.New(portal.Options{Brand: "Turso", Footer: "The local stand-in for Turso's sign-in page.", StylePath: signInStyle})
})

// MatchSignIn reports whether a request is for the page that the turso CLI opens in a
// browser: /?port=PORT&redirect=true&type=cli&state=STATE, or /?redirect=false, which shows
// the token for pasting (turso-cli/internal/cmd/auth.go).
func MatchSignIn(r *http.Request) bool {
	switch r.URL.Path {
	case signInStyle:
		return true
	case "/", "/signup":
		q := r.URL.Query()
		return q.Get("type") == "cli" || q.Get("redirect") == "false"
	}
	return false
}

// SignIn serves what MatchSignIn finds. A person signs in by choosing who they are.
func (s *Server) SignIn(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == signInStyle {
		portal.Style(w, r)
		return
	}
	q := r.URL.Query()
	target := ""
	if q.Get("redirect") != "false" {
		// Which name of this machine Turso sends the browser to is not known.
		port, err := strconv.ParseUint(q.Get("port"), 10, 16)
		if err != nil || port == 0 {
			signInSite().Fail(w, http.StatusBadRequest, "This link is incomplete", "It has no port of a program that waits for the sign-in.")
			return
		}
		target = "http://localhost:" + strconv.FormatUint(port, 10)
	}
	if r.Method != http.MethodPost {
		s.askWho(w, r, target, "")
		return
	}
	token, err := s.newSession(r.PostFormValue("account"))
	switch {
	case err != nil:
		s.askWho(w, r, target, "There is no such account.")
	case target == "":
		signInSite().Done(w, "Your token", token)
	default:
		portal.Redirect(w, target+"/?"+url.Values{"jwt": {token}, "state": {q.Get("state")}}.Encode())
	}
}

func (s *Server) askWho(w http.ResponseWriter, r *http.Request, target, problem string) {
	s.mu.RLock()
	var accounts []portal.Account
	for _, name := range sortedKeys(s.state.Users) {
		accounts = append(accounts, portal.Account{Name: name, Email: s.state.Users[name].Email})
	}
	s.mu.RUnlock()
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	signInSite().SignIn(w, status, target, portal.SignIn{Action: r.URL.RequestURI(), Accounts: accounts, Problem: problem})
}

// newSession makes a token of a session: it may do whatever the user may.
func (s *Server) newSession(email string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.state.Users {
		if u.Email == email && email != "" {
			_, token, err := s.createAPIToken(u, APIToken{Name: sessionPrefix + uuid.NewString()})
			return token, err
		}
	}
	return "", ErrNotFound
}

// sessionPrefix begins the names of sessions, which are no API tokens to the API.
const sessionPrefix = "session:"
