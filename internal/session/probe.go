package session

import (
	"context"
	"fmt"
	"time"

	"slices"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/store"
)

// detour is the detour of the record around the profile's own way, if its provider
// is still one of the fallbacks.
func (s *Session) detour(record store.Record) (store.Detour, bool) {
	if len(record.Detours) == 0 {
		return store.Detour{}, false
	}
	d, ok := record.Detours[s.key(record)]
	if !ok || s.rank(d.Via) == 0 || s.forgotten(d.Probe) {
		return store.Detour{}, false
	}
	if now := s.Now(); d.Probe.Sub(now) > 2*lastProbe {
		d.Probe = now // the clock was set back
	}
	return d, true
}

// onDetour returns a token by the detour, or, when it is time, one of the own way
// with which the caller's request tries that.
func (s *Session) onDetour(ctx context.Context, own way, d store.Detour, n need) (provider.Token, error) {
	if !s.Now().Before(d.Probe) {
		return s.try(ctx, own, d, n)
	}
	token, err := s.via(ctx, d, n)
	if err == nil {
		return token, nil
	}
	record, loadErr := s.Store.LoadContext(ctx, s.Profile)
	if loadErr != nil {
		return provider.Token{}, loadErr
	}
	if token, err = s.by(ctx, record, own, n); err != nil { // that is closed, too
		return provider.Token{}, err
	}
	return s.take(token, own, time.Time{}), nil
}

// try claims the next probe for this process and returns a token of the own way.
// Where another process was first, or its provider can't make any, the token is the
// detour's. A sign-in that has ended ends the detour: nobody who was signed out goes
// on by it.
func (s *Session) try(ctx context.Context, own way, d store.Detour, n need) (provider.Token, error) {
	// A program that can't start providers becomes one that can now, and not between
	// the claim and the probe.
	_, _ = s.Providers.Describe(ctx, own.minter)
	d, open, claimed, err := s.claim(ctx, d)
	if err != nil {
		return provider.Token{}, err
	}
	if open && !claimed {
		return s.via(ctx, d, n)
	}
	record, err := s.Store.LoadContext(ctx, s.Profile)
	if err != nil {
		return provider.Token{}, err
	}
	token, err := s.by(ctx, record, own, n)
	switch kind := provider.Kind(err); {
	case open && (kind == provider.ErrUnavailable || kind == provider.ErrConfig || kind == provider.ErrNoProvider):
		return s.via(ctx, d, n)
	case err != nil && kind == nil: // the caller has gone, or the store can't be read
		return provider.Token{}, err
	case err != nil:
		s.end(ctx, false)
		return provider.Token{}, err
	case !open || d.Unavailable: // that it makes tokens is all that was missing
		s.take(token, own, time.Time{})
		s.end(ctx, open)
		return token, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hand.probe, s.probe = d.Probe, token
	return token, nil
}

// claim puts the time of the next probe off, so that this process alone makes the
// one that is due. open is whether there is still a detour.
func (s *Session) claim(ctx context.Context, d store.Detour) (now store.Detour, open, claimed bool, err error) {
	err = s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		now, open = s.detour(l.Record)
		if !open || s.Now().Before(now.Probe) {
			return nil
		}
		now.Failures++
		now.Probe = s.Now().Add(backoff(now.Failures))
		l.Detours[s.key(l.Record)] = now
		claimed = true
		return l.Save()
	})
	return now, open, claimed, err
}

func (s *Session) isProbe(token provider.Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.probe.Value.IsZero() && s.probe.Value.Equal(token.Value)
}

// probeRefused goes back to the detour, with the limits of the token that was
// refused now: the issuer may have changed what it allows.
func (s *Session) probeRefused(ctx context.Context, refused provider.Token) (provider.Token, error) {
	s.mu.Lock()
	s.probe = provider.Token{}
	s.mu.Unlock()
	claims, err := jwks.DecodeUnverified(refused.Value)
	if err != nil {
		return provider.Token{}, err
	}
	limits, err := s.granted(claims)
	if err != nil {
		s.end(ctx, false)
		return provider.Token{}, err
	}
	var d store.Detour
	var open bool
	err = s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		if d, open = s.detour(l.Record); !open {
			return nil
		}
		d.Access, d.Permissions = limits.Access, limits.Permissions
		key := s.key(l.Record)
		l.Detours[key] = d
		if l.Tokens[key].Value.Equal(refused.Value) {
			delete(l.Tokens, key)
		}
		return l.Save()
	})
	if err != nil {
		return provider.Token{}, err
	}
	if !open {
		return s.around(ctx, fall{replaced: refused})
	}
	held := s.held()
	if w := held.way; held.good(s.Now()) && w.access == d.Access && slices.EqualFunc(w.permissions, d.Permissions, samePermission) {
		return held.token, nil
	}
	return s.via(ctx, d, need{})
}

func samePermission(a, b provider.Permission) bool {
	return slices.Equal(a.Tables, b.Tables) && slices.Equal(a.Actions, b.Actions)
}

// Accepted tells the session that the database took a token. After a probe the
// profile's own way is the one that is taken again.
func (s *Session) Accepted(ctx context.Context, token provider.Token) {
	if !s.isProbe(token) {
		return
	}
	_, _ = s.inTurn(ctx, func() (provider.Token, error) {
		record, err := s.Store.LoadContext(ctx, s.Profile)
		if err != nil || !s.isProbe(token) {
			return token, err
		}
		s.take(token, s.own(record), time.Time{})
		s.end(ctx, true)
		return token, nil
	})
}

// end forgets the detour, here and in the store, where other processes would find
// out for themselves if that failed.
func (s *Session) end(ctx context.Context, works bool) {
	var who actor
	_ = s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		delete(l.Detours, s.key(l.Record))
		who = s.as(l.Record, s.own(l.Record))
		return l.Save()
	})
	s.mu.Lock()
	told := s.told
	s.told = ""
	if s.hand.way.rank > 0 {
		s.hand = hand{}
	}
	token := s.hand.token
	s.mu.Unlock()
	if !works {
		return
	}
	s.audit(audit.Return, who, token, nil)
	if told != "" {
		s.notify(fmt.Sprintf("the tokens of %s work again", who.name()))
	}
}
