package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/store"
)

// fall is why the tokens of another provider are wanted.
type fall struct {
	// replaced is the token that the database refused; zero where unavailable.
	replaced provider.Token
	// unavailable is that the own provider could make none, and cause why.
	unavailable bool
	cause       error
	// after is the rank of the way that failed.
	after int
	need  need
}

// FallBack returns a token of the next provider in Config.Fallback, after the
// database refused a token and, if one could be had, the one that Renew returned in
// its place. It allows no more than the token of the profile's own provider did.
//
// It is for refusals alone. A sign-in that was rejected or never made is no reason:
// who was signed out would be promoted by it.
func (s *Session) FallBack(ctx context.Context, refused provider.Token) (provider.Token, error) {
	return s.inTurn(ctx, func() (provider.Token, error) {
		held := s.held()
		f := fall{replaced: refused}
		switch {
		case held.token.Value.Equal(refused.Value):
			f.after = held.way.rank
		case held.good(s.Now()):
			return held.token, nil // another request was first
		}
		return s.around(ctx, f)
	})
}

// around goes through the fallback providers until one makes a token, and leaves
// word of the detour in the store. The caller has the turn.
func (s *Session) around(ctx context.Context, f fall) (provider.Token, error) {
	record, err := s.Store.LoadContext(ctx, s.Profile)
	if err != nil {
		return provider.Token{}, err
	}
	own := s.own(record)
	if d, ok := s.detour(record); ok && s.rank(d.Via) > f.after && s.Now().Before(d.Probe) {
		return s.via(ctx, d, f.need) // another process was first
	}
	limits, err := s.limits(record, f)
	if err != nil {
		return provider.Token{}, noFallback(f, err)
	}
	var failures error
	for i, name := range s.Fallback {
		if i+1 <= f.after || name == own.minter {
			continue
		}
		d := limits
		d.Via, d.Unavailable, d.Since = name, f.unavailable, s.Now()
		d.Probe = d.Since.Add(backoff(d.Failures))
		token, err := s.begin(ctx, d, f)
		if err == nil {
			return token, nil
		}
		if err = fmt.Errorf("fallback %s: %w", name, err); failures != nil {
			err = fmt.Errorf("%w; %w", failures, err)
		}
		failures = err
	}
	return provider.Token{}, noFallback(f, failures)
}

// begin gets a token by the detour and, if there is one, leaves word of it.
func (s *Session) begin(ctx context.Context, d store.Detour, f fall) (provider.Token, error) {
	description, err := s.Providers.Describe(ctx, d.Via)
	if err != nil {
		return provider.Token{}, err
	}
	d.EnvNames = envNames(description)
	token, err := s.via(ctx, d, f.need)
	if err != nil {
		return provider.Token{}, err
	}
	// Word is for other processes: without it each finds out for itself.
	_ = s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		key := s.key(l.Record)
		if l.Detours == nil {
			l.Detours = map[string]store.Detour{}
		}
		l.Detours[key] = d
		if l.Tokens[key].Value.Equal(f.replaced.Value) {
			delete(l.Tokens, key) // the next try of the own way is with a new one
		}
		return l.Save()
	})
	return token, nil
}

// noFallback is the error of a fall that ends nowhere, after the failures of the
// fallback providers, if there are any.
func noFallback(f fall, failures error) error {
	switch {
	case f.cause == nil && failures == nil:
		return fmt.Errorf("no fallback provider is configured: %w", errors.ErrUnsupported)
	case f.cause == nil:
		return failures
	case failures == nil:
		return f.cause
	}
	return &provider.Error{
		Kind: provider.ErrUnavailable, Hint: provider.Hint(f.cause), Err: f.cause,
		Message: fmt.Sprintf("%v (%v)", f.cause, failures),
	}
}

// limits are those of the token that a fallback's stands in for, not those of the
// profile: the issuer may allow this person less than the profile asks for. Of a
// token that was never made nothing is known, so that there is no fallback for it.
func (s *Session) limits(record store.Record, f fall) (store.Detour, error) {
	if d, ok := s.detour(record); ok && f.after > 0 {
		return d, nil
	}
	replaced := f.replaced
	if replaced.Value.IsZero() {
		replaced = record.Tokens[s.key(record)]
		if s.forgotten(replaced.Expires) { // and nothing was written since
			replaced = provider.Token{}
		}
	}
	if replaced.Value.IsZero() {
		return store.Detour{}, &provider.Error{
			Kind:    provider.ErrUnavailable,
			Message: "no fallback: the profile's own provider has made no token for this database lately, so that nobody knows what one may allow",
		}
	}
	claims, err := jwks.DecodeUnverified(replaced.Value) // verified before it was stored
	if err != nil {
		return store.Detour{}, err
	}
	return s.granted(claims)
}

// granted reads the most that a token allows. Where it has p, which is by kind of
// access and knows no tables, reading is granted by all known kinds but ddl: what an
// unknown kind grants is nothing that a fallback may be given.
func (s *Session) granted(claims provider.Claims) (store.Detour, error) {
	db := claims.Database
	if db == nil {
		return store.Detour{}, fmt.Errorf("no fallback: %w: the token that it would stand in for has no database claims", provider.ErrPermission)
	}
	d := store.Detour{Access: provider.AccessReadOnly, Permissions: db.Permissions}
	if len(d.Permissions) == 0 {
		d.Permissions = s.Permissions
	}
	read := len(db.Namespaces) == 0
	for _, kind := range []string{"ro", "rw", "roa", "rwa"} {
		read = read || len(db.Namespaces[kind]) > 0
	}
	writes := len(db.Namespaces) == 0 && db.Access != provider.AccessReadOnly || len(db.Namespaces["rw"])+len(db.Namespaces["rwa"]) > 0
	if !read {
		return store.Detour{}, fmt.Errorf("no fallback: %w: the token that it would stand in for can't read", provider.ErrPermission)
	}
	if writes && s.Access != provider.AccessReadOnly {
		d.Access = provider.AccessReadWrite
	}
	return d, nil
}

// rank is the place of a fallback provider, from 1; 0 is none.
func (s *Session) rank(name string) int {
	for i, known := range s.Fallback {
		if known == name {
			return i + 1
		}
	}
	return 0
}

// via returns a token by a detour, cached or new, and tells of it once.
func (s *Session) via(ctx context.Context, d store.Detour, n need) (provider.Token, error) {
	record, err := s.Store.LoadContext(ctx, s.Profile)
	if err != nil {
		return provider.Token{}, err
	}
	w := way{identity: d.Via, minter: d.Via, rank: s.rank(d.Via), access: d.Access, permissions: d.Permissions, envNames: d.EnvNames}
	token, err := s.by(ctx, record, w, n)
	if err != nil {
		return provider.Token{}, err
	}
	s.tell(record, w, token, d.Unavailable)
	return s.take(token, w, d.Probe), nil
}

// tell says once that a fallback is in use, until it isn't or another one is.
func (s *Session) tell(record store.Record, w way, token provider.Token, unavailable bool) {
	s.mu.Lock()
	told := s.told == w.minter
	s.told = w.minter
	s.mu.Unlock()
	if told {
		return
	}
	s.audit(audit.Fallback, s.as(record, w), token, nil)
	why := "the database refuses the tokens of"
	if unavailable {
		why = "no token can be had from"
	}
	own := s.own(record)
	s.notify(fmt.Sprintf("%s %s: using %s (fallback, access %s) until that has changed", why, own.minter, w.minter, w.access))
}

func (c Config) notify(text string) {
	if c.Notify != nil {
		c.Notify(text)
	}
}

// firstProbe and lastProbe are the first and the longest wait before the own way is
// tried again.
const (
	firstProbe = 30 * time.Second
	lastProbe  = 5 * time.Minute
)

func backoff(failures int) time.Duration {
	return min(lastProbe, firstProbe<<min(failures, 8))
}
