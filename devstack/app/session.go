package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"maps"
	"net/http"
	"sync"
	"time"
)

const (
	cookieName      = "app_session"
	sessionLifetime = 12 * time.Hour
	requestLifetime = 10 * time.Minute
	// maxRequests is the largest number of terminals waiting for one person.
	maxRequests = 16
)

// sessions are the known browsers, signed in or not.
type sessions struct {
	now func() time.Time

	// mu guards everything below, the sessions' fields included.
	mu   sync.Mutex
	byID map[string]*browserSession
}

// browserSession is one browser. Before sign-in it has the token of the sign-in form,
// afterwards also the person and the waiting terminals.
type browserSession struct {
	id       string
	csrf     string
	expireAt time.Time
	person   *person
	pending  *pendingCode
	requests []*bridgeRequest
}

// person is the person who is signed in, and their Clerk session.
type person struct {
	userID    string
	name      string
	email     string
	sessionID string
	clientJWT string
}

// pendingCode is an e-mail code sign-in that waits for its code.
type pendingCode struct {
	signInID  string
	clientJWT string
	email     string
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, byID: map[string]*browserSession{}}
}

// start gives a browser a new session, which replaces any earlier one: a session id never
// survives a sign-in.
func (s *sessions) start(w http.ResponseWriter, r *http.Request, who *person) *browserSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	maps.DeleteFunc(s.byID, func(_ string, old *browserSession) bool { return !now.Before(old.expireAt) })
	if cookie, err := r.Cookie(cookieName); err == nil {
		delete(s.byID, cookie.Value)
	}
	created := &browserSession{id: rand.Text(), csrf: rand.Text(), expireAt: now.Add(sessionLifetime), person: who}
	s.byID[created.id] = created
	// Cookies are shared by all ports of a host. The path keeps this one from
	// the terminal's own server on 127.0.0.1.
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: created.id, Path: "/app", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(sessionLifetime / time.Second),
	})
	return created
}

// get finds the browser's session, or nil.
func (s *sessions) get(r *http.Request) *browserSession {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byID[cookie.Value]
	if found == nil || !s.now().Before(found.expireAt) {
		return nil
	}
	return found
}

// end forgets the browser's session.
func (s *sessions) end(w http.ResponseWriter, session *browserSession) {
	s.mu.Lock()
	delete(s.byID, session.id)
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/app", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// checks reports whether a form carries the session's token.
func (b *browserSession) checks(r *http.Request) bool {
	return b != nil && subtle.ConstantTimeCompare([]byte(r.PostFormValue("csrf_token")), []byte(b.csrf)) == 1
}

// open keeps a terminal's request until it is answered and returns its name for the form.
// Only the form has it, so it is also the form's CSRF token.
func (s *sessions) open(session *browserSession, req bridgeRequest) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.id, req.expireAt = rand.Text(), s.now().Add(requestLifetime)
	session.requests = append(session.requests, &req)
	if len(session.requests) > maxRequests {
		session.requests = session.requests[len(session.requests)-maxRequests:]
	}
	return req.id
}

// take finds a request of this browser and marks it answered. It reports whether
// this is the first answer and in time.
func (s *sessions) take(session *browserSession, id string) (req bridgeRequest, found, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, candidate := range session.requests {
		if subtle.ConstantTimeCompare([]byte(candidate.id), []byte(id)) == 1 {
			open = !candidate.answered && s.now().Before(candidate.expireAt)
			candidate.answered = true
			return *candidate, true, open
		}
	}
	return bridgeRequest{}, false, false
}

// signedIn returns the browser's session if a person is signed in and Clerk confirms it:
// a session revoked in the dashboard ends here, too.
func (a *App) signedIn(ctx context.Context, r *http.Request) (*browserSession, error) {
	session := a.sessions.get(r)
	if session == nil || session.person == nil {
		return nil, nil
	}
	active, err := a.clerk.sessionActive(ctx, session.person.sessionID)
	if err != nil || !active {
		return nil, err
	}
	return session, nil
}

func (s *sessions) setPending(session *browserSession, pending *pendingCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session.pending = pending
}

func (s *sessions) pendingOf(session *browserSession) *pendingCode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return session.pending
}
