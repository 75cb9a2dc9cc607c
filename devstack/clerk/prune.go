package clerk

import "time"

const (
	// pruneInterval bounds how often everything is looked through.
	pruneInterval = time.Minute
	// endedRetention is how long what has ended can still be listed.
	endedRetention = 24 * time.Hour
)

// prune forgets what nobody can use any more, so that an instance which runs for
// weeks doesn't grow. Nothing depends on it: whatever expires is checked when used.
func (inst *Instance) prune() {
	now := inst.now()
	if since := now.Sub(inst.prunedAt); since >= 0 && since < pruneInterval {
		return
	}
	inst.prunedAt = now
	long := now.Add(-endedRetention)
	for id, s := range inst.sessions {
		if !inst.active(s) && s.updatedAt.Before(long) {
			delete(inst.sessions, id)
		}
	}
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
	for id, t := range inst.tickets {
		if t.expireAt.Before(long) {
			delete(inst.tickets, id)
		}
	}
	for id, t := range inst.m2mTokens {
		if t.expired(long) {
			delete(inst.m2mTokens, id)
		}
	}
	for key, w := range inst.windows {
		if now.Sub(w.start) >= limitWindow {
			delete(inst.windows, key)
		}
	}
	inst.oauth.prune(now)
}

// forget drops what a user that is no more had allowed.
func (o *oauthState) forget(u *user) {
	for id, a := range o.accessTokens {
		if a.grant.user == u {
			delete(o.accessTokens, id)
		}
	}
	for id, r := range o.refreshTokens {
		if r.grant.user == u {
			delete(o.refreshTokens, id)
		}
	}
	for id, c := range o.codes {
		if c.grant.user == u {
			delete(o.codes, id)
		}
	}
	for _, b := range o.browsers {
		if b.user == u {
			b.user = nil
		}
	}
}

func (o *oauthState) prune(now time.Time) {
	for id, tx := range o.transactions {
		if !now.Before(tx.expireAt) {
			delete(o.transactions, id)
		}
	}
	for id, b := range o.browsers {
		if !now.Before(b.expireAt) {
			delete(o.browsers, id)
		}
	}
	for id, c := range o.codes {
		if !now.Before(c.expireAt) {
			delete(o.codes, id)
		}
	}
	for id, d := range o.devices {
		if !now.Before(d.expireAt.Add(deviceLifetime)) {
			delete(o.devices, id)
		}
	}
	for id, a := range o.accessTokens {
		if !now.Before(a.expireAt) {
			delete(o.accessTokens, id)
		}
	}
}
