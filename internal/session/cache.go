package session

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/store"
)

// steppedBack is how far the clock may go back before nothing is believed of a
// token's times but what a new look tells. Time servers correct less.
const steppedBack = 5 * time.Second

// cached returns the token of the record for this issuer, if it meets the need.
func (s *Session) cached(ctx context.Context, record store.Record, by cache.Issuer, n cache.Need) (provider.Token, error) {
	return s.config.Token(record, by, n, s.clock(), s.verify(ctx, false))
}

func (s *Session) clock() cache.Clock {
	return cache.Clock{Now: s.config.Now(), Jitter: s.config.Jitter}
}

// verify is the Verifier for one check.
func (s *Session) verify(ctx context.Context, offline bool) func(provider.Token) (provider.Claims, error) {
	return func(token provider.Token) (provider.Claims, error) {
		return s.config.Verifier.Verify(ctx, token, offline)
	}
}

// keep caches a token and drops those that ended long ago.
func (s *Session) keep(record *store.Record, token provider.Token, by cache.Issuer) {
	now := s.config.Now()
	for key, old := range record.Tokens {
		if breaker.Forgotten(old.Expires, now) {
			delete(record.Tokens, key)
		}
	}
	record.Tokens[s.config.Key(*record, by)] = token
	for key, refusal := range record.Refusals {
		if _, ok := record.Tokens[key]; !ok || breaker.Forgotten(refusal.RetryAt, now) {
			delete(record.Refusals, key)
		}
	}
}

// forget drops the cached tokens that the named provider had a part in.
func forget(record *store.Record, name string) {
	for key := range record.Tokens {
		identity, rest, _ := strings.Cut(key, "/")
		issuing, _, _ := strings.Cut(rest, "/")
		if identity == name || issuing == name {
			delete(record.Tokens, key)
			delete(record.Refusals, key)
		}
	}
}

// breaker is the breaker of the profile's own token.
func (s *Session) breaker(record store.Record) breaker.State {
	return s.config.Breaker(record, s.config.Now())
}

// setBreaker keeps a state in the record; a closed one is forgotten.
func (s *Session) setBreaker(record *store.Record, state breaker.State) {
	key := s.config.Key(*record, s.config.Own(*record))
	if !state.Open() {
		delete(record.Breakers, key)
		return
	}
	if record.Breakers == nil {
		record.Breakers = map[string]breaker.State{}
	}
	record.Breakers[key] = state
}

// current is the token that requests use, so that a program with many of them reads and
// verifies each token once.
type current struct {
	token provider.Token
	by    cache.Issuer
	// since is when it became current. From early on its successor is issued in the
	// background, from late on it isn't handed out. Zero is never.
	since, early, late time.Time
	// retryAt is, for a fallback's token, when the profile's own provider is to be tried
	// again.
	retryAt time.Time
}

func (c current) good(now time.Time) bool {
	now = now.Round(0)
	return !c.token.Value.IsZero() && (c.late.IsZero() || now.Before(c.late)) && !now.Before(c.since.Add(-steppedBack))
}

// use makes a token the current one. retryAt is as in current.
func (s *Session) use(token provider.Token, by cache.Issuer, retryAt time.Time) provider.Token {
	c := current{token: token, by: by, since: s.config.Now().Round(0), retryAt: retryAt}
	if !token.Expires.IsZero() {
		end, j := token.Expires.Round(0), s.config.Jitter(token)
		c.late = end.Add(-cache.Late(token, j))
		c.early = end.Add(-cache.Early(token, j))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.trial = c, provider.Token{}
	return token
}

// drop leaves no token current: the sign-in that it came from was replaced or has ended.
func (s *Session) drop() {
	s.use(provider.Token{}, cache.Issuer{}, time.Time{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = ""
	s.refusals = false
}

func (s *Session) held() current {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *Session) isTrial(token provider.Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.trial.Value.IsZero() && s.trial.Value.Equal(token.Value)
}

// usable returns the current token, if it is good and nothing else is to be tried, and
// sees to its successor.
func (s *Session) usable() (provider.Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, now := &s.current, s.config.Now().Round(0)
	if !c.good(now) || c.by.Fallback && !now.Before(c.retryAt) {
		return provider.Token{}, false
	}
	if !c.early.IsZero() && !now.Before(c.early) && c.since.Before(c.early) && !s.renewing && !s.closed {
		s.renewing = true
		s.background.Go(s.renewAhead)
	}
	return c.token, true
}

// aheadTimeout bounds a renewal in the background.
const aheadTimeout = time.Minute

// renewAhead issues the successor of the current token, which became current before its
// renewal was due: a program that runs for a moment doesn't begin one. After a failure
// the next use tries again, when a third of what is left has passed; when nothing is
// left, the use itself has to wait for a token.
func (s *Session) renewAhead() {
	ctx, cancel := context.WithTimeout(s.base, aheadTimeout)
	defer cancel()
	before := s.held()
	_, err := s.inTurn(ctx, func() (provider.Token, error) {
		if now := s.held(); !now.token.Value.Equal(before.token.Value) {
			return now.token, nil
		}
		record, err := s.config.Store.LoadContext(ctx, s.config.Name)
		if err != nil {
			return provider.Token{}, err
		}
		token, err := s.renew(ctx, record, before.by, cache.Need{Ahead: true})
		if err == nil {
			s.use(token, before.by, before.retryAt)
		}
		return token, err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewing = false
	if err != nil && s.current.token.Value.Equal(before.token.Value) {
		now := s.config.Now().Round(0)
		s.current.early = now.Add(s.current.late.Sub(now) / 3)
	}
}

// verifier checks tokens against the key sets on disk, fetching what is missing.
type verifier struct {
	cacheDir string
	client   *http.Client
	now      func() time.Time
}

// Verify implements session.Verifier.
func (v verifier) Verify(ctx context.Context, token provider.Token, offline bool) (provider.Claims, error) {
	return cache.Verify(ctx, token, v.now, func(url string) (jwks.Source, error) {
		if offline {
			return jwks.Disk{Dir: v.cacheDir, URL: url}, nil
		}
		return keyset.New(url, keyset.Options{CacheDir: v.cacheDir, Client: v.client, Now: v.now})
	})
}

// keyHolder is what a Verifier can do beside: say whether the key set on disk still
// has the key that a token was verified with.
type keyHolder interface {
	// HoldsKey is nil where it has, ErrTokenInvalid where it has others only, and
	// ErrUnavailable where there is no key set.
	HoldsKey(ctx context.Context, v provider.Verification, keyID string) error
}

// HoldsKey implements keyHolder. It uses no network.
func (v verifier) HoldsKey(_ context.Context, how provider.Verification, keyID string) error {
	set, err := jwks.Disk{Dir: v.cacheDir, URL: how.KeySetURL}.Load()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(set.Keys, func(k jwks.Key) bool { return k.ID == keyID }) {
		return nil
	}
	return fmt.Errorf("%w: the key that signed it (kid %.80q) is not in the key set of %s any more", provider.ErrTokenInvalid, keyID, how.Issuer)
}

// Interface guards
var _ keyHolder = verifier{}
