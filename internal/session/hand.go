package session

import (
	"context"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// hand is the token in hand, so that a program with many requests reads and
// verifies each token once.
type hand struct {
	token provider.Token
	way   way
	// taken is when it came to hand. From early on its successor is made in the
	// background, from late on it isn't handed out. Zero is never.
	taken, early, late time.Time
	// probe is, for a fallback's token, when the own way is to be tried again.
	probe time.Time
}

// steppedBack is how far the clock may go back before nothing is believed of a
// token's times but what a new look tells. Time servers correct less.
const steppedBack = 5 * time.Second

// Minter is the provider that made the token which was handed out last, the profile's
// or one of its fallbacks; "" before the first.
func (s *Session) Minter() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hand.way.minter
}

func (h hand) good(now time.Time) bool {
	now = now.Round(0)
	return !h.token.Value.IsZero() && (h.late.IsZero() || now.Before(h.late)) && !now.Before(h.taken.Add(-steppedBack))
}

// take puts a token in hand. probe is as in hand.
func (s *Session) take(token provider.Token, w way, probe time.Time) provider.Token {
	h := hand{token: token, way: w, taken: s.Now().Round(0), probe: probe}
	if !token.Expires.IsZero() {
		end, j := token.Expires.Round(0), s.Jitter(token)
		h.late = end.Add(-late(token, j))
		h.early = end.Add(-early(token, j))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hand, s.probe = h, provider.Token{}
	return token
}

// drop empties the hand: somebody else is signed in now, or nobody.
func (s *Session) drop() {
	s.take(provider.Token{}, way{}, time.Time{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = ""
}

func (s *Session) held() hand {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hand
}

// inHand returns the token in hand, if it is good and nothing else is to be tried,
// and sees to its successor.
func (s *Session) inHand() (provider.Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now().Round(0)
	if !s.hand.good(now) || s.hand.way.rank > 0 && !now.Before(s.hand.probe) {
		return provider.Token{}, false
	}
	if !s.hand.early.IsZero() && !now.Before(s.hand.early) && s.hand.taken.Before(s.hand.early) && !s.renewing && !s.closed {
		s.renewing = true
		s.background.Go(s.renewAhead)
	}
	return s.hand.token, true
}

// aheadTimeout bounds a renewal in the background.
const aheadTimeout = time.Minute

// renewAhead makes the successor of the token in hand, which came to hand before
// its renewal was due: a program that runs for a moment doesn't begin one. After a
// failure the next use tries again, when a third of what is left has passed; when
// nothing is left, the use itself has to wait for a token.
func (s *Session) renewAhead() {
	ctx, cancel := context.WithTimeout(s.base, aheadTimeout)
	defer cancel()
	before := s.held()
	_, err := s.inTurn(ctx, func() (provider.Token, error) {
		if now := s.held(); !now.token.Value.Equal(before.token.Value) {
			return now.token, nil
		}
		token, err := s.renew(ctx, before.way, need{ahead: true})
		if err == nil {
			s.take(token, before.way, before.probe)
		}
		return token, err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewing = false
	if err != nil && s.hand.token.Value.Equal(before.token.Value) {
		now := s.Now().Round(0)
		s.hand.early = now.Add(s.hand.late.Sub(now) / 3)
	}
}
