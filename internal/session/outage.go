package session

import (
	"context"

	"github.com/zen-auth/zen/core/provider"
)

// outage is that no token could be had because somebody couldn't be reached. Those who
// waited for their turn meanwhile share it: one after the other, each would wait for the
// same timeouts, and ask an issuer that is down once more.
type outage struct {
	begun   int   // tries so far
	failed  int   // the last one that ended like this
	failure error // how
}

// tries returns how many tries to get a token have begun.
func (s *Session) tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outage.begun
}

// attempt calls fn, unless a try that began after the one with the number before met an
// outage. The caller has the turn.
func (s *Session) attempt(ctx context.Context, before int, fn func() (provider.Token, error)) (provider.Token, error) {
	s.mu.Lock()
	if s.outage.failed > before {
		defer s.mu.Unlock()
		return provider.Token{}, s.outage.failure
	}
	s.outage.begun++
	number := s.outage.begun
	s.mu.Unlock()
	token, err := fn()
	if provider.Kind(err) == provider.ErrUnavailable && ctx.Err() == nil { // it is not this caller's hurry
		s.mu.Lock()
		s.outage.failed, s.outage.failure = number, err
		s.mu.Unlock()
	}
	return token, err
}
