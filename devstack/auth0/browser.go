package auth0

import (
	"maps"
	"net/http"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

const cookieName = "auth0"

// browser is one browser: who is signed in, if anyone, and the token of its forms.
type browser struct {
	id        string
	csrf      string
	expireAt  time.Time
	user      *user
	authTime  time.Time
	sessionID string
}

// browserOf finds the browser's record or starts one.
func (t *Tenant) browserOf(w http.ResponseWriter, r *http.Request) *browser {
	if cookie, err := r.Cookie(cookieName); err == nil {
		if b := t.browsers[cookie.Value]; b != nil && t.now().Before(b.expireAt) {
			return b
		}
	}
	return t.newBrowser(w, nil)
}

// newBrowser starts a browser's record. Signing in does so, too: an id never
// survives it.
func (t *Tenant) newBrowser(w http.ResponseWriter, old *browser) *browser {
	b := &browser{id: random.String(32), csrf: random.String(32), expireAt: t.now().Add(browserLifetime)}
	if old != nil {
		delete(t.browsers, old.id)
		for _, tx := range t.transactions {
			if tx.browser == old {
				tx.browser = b
			}
		}
	}
	t.browsers[b.id] = b
	// Cookies are shared by all ports of a host. The path keeps this one from
	// other programs on 127.0.0.1, a terminal's callback among them.
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: b.id, Path: "/u", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(browserLifetime / time.Second),
	})
	return b
}

func (b *browser) signIn(u *user, now time.Time) {
	b.user, b.authTime, b.sessionID = u, now, random.String(32)
}

// prune forgets what has expired.
func (t *Tenant) prune() {
	now := t.now()
	maps.DeleteFunc(t.browsers, func(_ string, b *browser) bool { return !now.Before(b.expireAt) })
	maps.DeleteFunc(t.transactions, func(_ string, tx *transaction) bool { return !now.Before(tx.expireAt) })
	maps.DeleteFunc(t.codes, func(_ string, c *code) bool { return !now.Before(c.expireAt) })
	// An expired device gets that answer once, if it polls in time.
	maps.DeleteFunc(t.devices, func(_ string, d *device) bool { return !now.Before(d.expireAt.Add(deviceLifetime)) })
	maps.DeleteFunc(t.assertions, func(_ string, until time.Time) bool { return !now.Before(until) })
	maps.DeleteFunc(t.refreshTokens, func(_ string, r *refreshToken) bool { return !now.Before(r.family.expireAt) })
}
