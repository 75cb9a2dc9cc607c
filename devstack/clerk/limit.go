package clerk

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RateLimits are the limits of calls in ten seconds, unless stated otherwise. Zero means
// no limit.
type RateLimits struct {
	CreateSignIn  int // of one address
	AttemptSignIn int // of one address
	Backend       int // of the instance; its key set is not limited
	Invitations   int // of an organization, in an hour
}

// DefaultRateLimits are Clerk's: "create sign-in" 5 and "attempt" 3 for each
// address, the Backend API's 100 for development and 1,000 for production instances,
// and 250 invitations an hour (Clerk, System limits).
func DefaultRateLimits(production bool) *RateLimits {
	limits := &RateLimits{CreateSignIn: 5, AttemptSignIn: 3, Backend: 100, Invitations: 250}
	if production {
		limits.Backend = 1000
	}
	return limits
}

const limitWindow = 10 * time.Second

// window counts the calls of one kind from one place.
type window struct {
	start time.Time
	count int
}

// admitCount counts a call and refuses it if its window is full.
func (inst *Instance) admitCount(key string, limit int) error {
	return inst.admitWithin(key, limit, limitWindow)
}

func (inst *Instance) admitWithin(key string, limit int, length time.Duration) error {
	if limit == 0 {
		return nil
	}
	now := inst.now()
	w := inst.windows[key]
	if w == nil || now.Sub(w.start) >= length || now.Before(w.start) {
		w = &window{start: now}
		inst.windows[key] = w
	}
	if w.count >= limit {
		left := w.start.Add(length).Sub(now)
		return errTooManyRequests(strconv.Itoa(int((left + time.Second - 1) / time.Second)))
	}
	w.count++
	return nil
}

// limitFrontend applies the limits of the Frontend API.
func (inst *Instance) limitFrontend(r *http.Request) error {
	limits := inst.opts.RateLimits
	if limits == nil || r.Method != http.MethodPost {
		return nil
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	switch {
	case r.URL.Path == "/v1/client/sign_ins":
		return inst.admitCount("create "+address, limits.CreateSignIn)
	case strings.HasPrefix(r.URL.Path, "/v1/client/sign_ins/") && strings.HasSuffix(r.URL.Path, "/attempt_first_factor"):
		return inst.admitCount("attempt "+address, limits.AttemptSignIn)
	}
	return nil
}

// limitInvitations refuses an invitation beyond the hour's.
func (inst *Instance) limitInvitations(o *organization) error {
	if inst.fault(FaultInvitationsLimited) {
		if inst.invited++; inst.invited%2 == 0 {
			return errTooManyRequests("2")
		}
	}
	if inst.opts.RateLimits == nil {
		return nil
	}
	return inst.admitWithin("invite "+o.ID, inst.opts.RateLimits.Invitations, time.Hour)
}

func (inst *Instance) limitBackend() error {
	if inst.opts.RateLimits == nil {
		return nil
	}
	return inst.admitCount("backend", inst.opts.RateLimits.Backend)
}
