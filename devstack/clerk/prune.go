package clerk

import (
	"maps"
	"time"
)

const (
	// pruneInterval is the shortest time between two searches through everything.
	pruneInterval = time.Minute
	// endedRetention is how long ended things can still be listed.
	endedRetention = 24 * time.Hour
)

// prune removes what can no longer be used, so that a long-running instance doesn't grow.
// Nothing depends on it: expiry is checked on use.
func (inst *Instance) prune() {
	now := inst.now()
	if since := now.Sub(inst.prunedAt); since >= 0 && since < pruneInterval {
		return
	}
	inst.prunedAt = now
	long := now.Add(-endedRetention)
	maps.DeleteFunc(inst.sessions, func(_ string, s *session) bool { return !inst.active(s) && s.updatedAt.Before(long) })
	for id, cl := range inst.clients {
		had := len(cl.sessions)
		switch {
		case len(inst.activeSessions(cl)) > 0:
		case had > 0: // its last session ended just now
			cl.updatedAt = now
		case cl.updatedAt.Before(long):
			delete(inst.clients, id)
		}
	}
	maps.DeleteFunc(inst.tickets, func(_ string, t *signInToken) bool { return t.expireAt.Before(long) })
	maps.DeleteFunc(inst.m2mTokens, func(_ string, t *m2mToken) bool { return t.expired(long) })
	maps.DeleteFunc(inst.windows, func(_ string, w *window) bool { return now.Sub(w.start) >= limitWindow })
	inst.oauth.prune(now)
}

// forget drops the grants of a deleted user.
func (o *oauthState) forget(u *user) {
	maps.DeleteFunc(o.accessTokens, func(_ string, a *oauthAccess) bool { return a.grant.user == u })
	maps.DeleteFunc(o.refreshTokens, func(_ string, r *oauthRefresh) bool { return r.grant.user == u })
	maps.DeleteFunc(o.codes, func(_ string, c *oauthCode) bool { return c.grant.user == u })
	for _, b := range o.browsers {
		if b.user == u {
			b.user = nil
		}
	}
}

func (o *oauthState) prune(now time.Time) {
	maps.DeleteFunc(o.transactions, func(_ string, tx *oauthTransaction) bool { return !now.Before(tx.expireAt) })
	maps.DeleteFunc(o.browsers, func(_ string, b *portalBrowser) bool { return !now.Before(b.expireAt) })
	maps.DeleteFunc(o.codes, func(_ string, c *oauthCode) bool { return !now.Before(c.expireAt) })
	maps.DeleteFunc(o.devices, func(_ string, d *oauthDevice) bool { return !now.Before(d.expireAt.Add(deviceLifetime)) })
	maps.DeleteFunc(o.accessTokens, func(_ string, a *oauthAccess) bool { return !now.Before(a.expireAt) })
}
