package turso

import (
	"net/http"
	"time"

	"github.com/zen-auth/zen/devstack/dbsync"
	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/hrana"
)

// now returns the server's clock, which may be wrong.
func (s *Server) now() time.Time {
	now := s.opts.Now()
	if s.opts.Faults.On(fault.ClockAhead) {
		now = now.Add(time.Hour)
	}
	if s.opts.Faults.On(fault.ClockBehind) {
		now = now.Add(-time.Hour)
	}
	return now
}

// How operations are refused that the plan has no quota for.
var (
	errWritesBlocked = hrana.Blocked("write", "writes are blocked, do you need to upgrade your plan?")
	errReadsBlocked  = hrana.Blocked("read", "reads are blocked, do you need to upgrade your plan?")
)

// withinPlan narrows rights to what the plan has quota for, and the database is
// configured for.
func (s *Server) withinPlan(r *engine.Rights, db *database) *engine.Rights {
	switch {
	case s.opts.Faults.On(fault.ReadsBlocked), db.Config.BlockReads:
		return r.Refusing(errWritesBlocked, errReadsBlocked)
	case s.opts.Faults.On(fault.WritesBlocked), db.Config.BlockWrites:
		return r.Refusing(errWritesBlocked, nil)
	}
	return r
}

// resume fails while no stream can go on.
func (s *Server) resume() error {
	switch {
	case s.opts.Faults.On(fault.StreamExpired):
		return hrana.ErrStreamExpired
	case s.opts.Faults.On(fault.StreamLost):
		return &hrana.StatusError{Status: http.StatusNotFound, Body: apiError{Error: "stream not found: 0"}, Origin: "*"}
	}
	return nil
}

// syncFault fails while replicas are refused.
func (s *Server) syncFault() error {
	switch {
	case s.opts.Faults.On(fault.ReplicasBlocked):
		return &hrana.StatusError{Status: http.StatusForbidden, Body: apiError{Error: "embedded replicas are not supported for this platform and tariff plan"}, Origin: "*"}
	case s.opts.Faults.On(fault.SyncBusy):
		return dbsync.ErrBusy
	}
	return nil
}

// pollEnds refuses a request that waits for news once its token has ended.
func (s *Server) pollEnds(r *http.Request) (time.Duration, error) {
	if !s.opts.Faults.On(fault.PollExpires) {
		return 0, nil
	}
	raw, _ := bearer(r)
	t, err := parseToken(raw)
	if err != nil || t.claims.Expires == 0 {
		return 0, nil // of a token that was accepted: it has no end
	}
	ends := time.UnixMilli(int64(t.claims.Expires * 1000))
	return max(0, ends.Sub(s.now())), s.refusal(errExpired)
}
