package loopback

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/zen-auth/zen/internal/peer"
)

// donePath shows the result, under an address without a secret.
const donePath = "/done"

// handler answers what a browser may ask. There are no CORS headers, and no page
// may frame, embed or read any answer.
func (l *Listener) handler() http.Handler {
	policy := contentPolicy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", policy)
		switch {
		case !l.isHost(r.Host):
			// A name that an attacker has pointed at 127.0.0.1.
			refuse(w, http.StatusMisdirectedRequest, "this is not the host you asked for")
		case r.URL.Path == donePath && r.Method == http.MethodGet:
			l.done(w)
		case r.URL.Path == "/favicon.ico":
			refuse(w, http.StatusNotFound, "there is no icon")
		case l.accepted().isSettled():
			refuse(w, http.StatusGone, errUsed.Error())
		case r.URL.Path != l.path:
			refuse(w, http.StatusNotFound, "nothing is here")
		case r.Method != http.MethodGet:
			h.Set("Allow", http.MethodGet)
			refuse(w, http.StatusMethodNotAllowed, "only GET is answered here")
		default:
			l.callback(w, r)
		}
	})
}

func (l *Listener) isHost(host string) bool {
	return host == l.addr || l.alias != "" && host == l.alias
}

// callback holds the request of an accepted callback until it is settled.
func (l *Listener) callback(w http.ResponseWriter, r *http.Request) {
	// Who has read the state somewhere could answer with a sign-in of his own.
	if foreign, _ := peer.Foreign(r); foreign {
		refuse(w, http.StatusForbidden, "This browser is another user's than the terminal that waits for it. If both are yours, copy this page's address and paste it there.")
		return
	}
	c, err := l.accept(r.URL.RawQuery)
	switch {
	case errors.Is(err, errUsed):
		refuse(w, http.StatusGone, errUsed.Error())
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	select {
	case <-c.settled:
		w.Header().Set("Location", donePath)
		w.WriteHeader(http.StatusSeeOther)
	case <-r.Context().Done():
		c.end()
	case <-l.closed:
		c.end()
		refuse(w, http.StatusServiceUnavailable, "the terminal stopped waiting")
	}
}

// done shows the result, once.
func (l *Listener) done(w http.ResponseWriter) {
	c := l.accepted()
	if !c.isSettled() {
		refuse(w, http.StatusNotFound, "nothing is here yet")
		return
	}
	if c.shown.Swap(true) {
		refuse(w, http.StatusGone, errUsed.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(c.page)))
	h.Set("Connection", "close")
	if !c.ok {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = w.Write(c.page)
	_ = http.NewResponseController(w).Flush()
	c.end()
}

func refuse(w http.ResponseWriter, status int, text string) {
	http.Error(w, text, status)
}
