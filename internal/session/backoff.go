package session

import (
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cache"
)

// way is one way to a token: who signed in, and who issues.
type way struct {
	identity, provider string
	fallback           bool
}

func wayOf(by cache.Issuer) way { return way{by.Identity, by.Provider, by.Fallback} }

// backedOff is ErrUnavailable while no other token is to be issued in place of a refused
// one.
func (s *Session) backedOff(by cache.Issuer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	remaining := s.refusals[wayOf(by)].Remaining(s.config.Now())
	if remaining == 0 {
		return nil
	}
	return &provider.Error{
		Kind:       provider.ErrUnavailable,
		Message:    fmt.Sprintf("a new token of %s was refused, too; the next one is asked for in %s", by.Provider, remaining.Round(time.Second)),
		RetryAfter: remaining,
	}
}

// backOff counts a token that was issued in place of a refused one.
func (s *Session) backOff(by cache.Issuer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusals == nil {
		s.refusals = map[way]breaker.Backoff{}
	}
	s.refusals[wayOf(by)] = s.refusals[wayOf(by)].Renewed(s.config.Now())
}

// endBackOff forgets the refusals of the way that a token came by, which the database
// has taken.
func (s *Session) endBackOff(token provider.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refusals) > 0 && s.current.token.Value.Equal(token.Value) {
		delete(s.refusals, wayOf(s.current.by))
	}
}
