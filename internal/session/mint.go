package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/store"
)

// fallbackLife is how long a fallback's token lives: it is made for a while, often
// by a credential that can do more than the token it stands in for.
const fallbackLife = 5 * time.Minute

// mint asks the token provider, and writes that down.
func (s *Session) mint(ctx context.Context, l *store.Locked, w way, n need) (provider.Token, error) {
	token, err := s.ask(ctx, l, w, n)
	if provider.Kind(err) != provider.ErrNoCredential {
		s.audit(audit.Refresh, s.as(l.Record, w), token, err)
	}
	return token, err
}

func (s *Session) ask(ctx context.Context, l *store.Locked, w way, n need) (provider.Token, error) {
	if w.rank == 0 && !s.mayMintUnsigned(w) {
		if err := s.signedIn(l.Record, w.identity); err != nil {
			return provider.Token{}, err
		}
	}
	source, err := s.Providers.TokenSource(ctx, w.minter)
	if err != nil {
		return provider.Token{}, err
	}
	req := provider.TokenRequest{Target: s.Target, Access: w.access, Permissions: w.permissions}
	switch {
	case n.minTTL > 0:
		// More than asked, or the token would be too short a moment later.
		req.Lifetime = n.minTTL + n.minTTL/4 + time.Minute
	case w.rank > 0:
		req.Lifetime = fallbackLife
	}
	if w.identity != w.minter {
		need, err := s.Providers.Need(ctx, w.minter)
		switch {
		case err != nil:
		case need != nil:
			req.Assertion, err = s.assertion(ctx, l, w, *need)
		default:
			err = s.stillSignedIn(ctx, l, w.identity)
		}
		if err != nil {
			return provider.Token{}, err
		}
		claims := l.Accounts[w.identity].Claims
		req.Claims = &claims
	}
	sent := l.Accounts[w.minter].Credential.Data
	token, err := s.exchange(ctx, l, source, w, req)
	if died(err) && ctx.Err() == nil {
		// Whether it changed anything nobody knows. But what the next one to want a
		// token would send is what is sent now, and sooner is better: an issuer may
		// still take it.
		token, err = s.exchange(ctx, l, source, w, req)
	}
	if errors.Is(err, provider.ErrRejected) && s.adopt(ctx, l, w.minter, sent) {
		// A process that doesn't share the lock has replaced the credential.
		if token, err := s.cached(ctx, l.Record, w, n); err == nil {
			return token, nil
		}
		token, err = s.exchange(ctx, l, source, w, req)
	}
	if err != nil {
		return provider.Token{}, err
	}
	if n.minTTL > 0 && !s.fits(token, n) {
		return provider.Token{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("tokens of %s live %s, less than the %s asked for", w.minter, token.Expires.Sub(token.Issued), n.minTTL),
			Hint:    "ask for less, or lengthen the token's life at the issuer",
		}
	}
	return token, nil
}

// mayMintUnsigned reports whether a sign-in is not asked for: where nothing is kept,
// the provider's settings may be all that it needs.
func (s *Session) mayMintUnsigned(w way) bool {
	return s.Store.Ephemeral() && w.identity != "" && w.identity == w.minter
}

// died reports whether a provider's process ended in the call (plugin.CrashError).
func died(err error) bool {
	var crash interface {
		error
		Died() bool
	}
	return errors.As(err, &crash) && crash.Died()
}

// exchange makes one call. A replaced credential is stored before anything that
// came with it is used, also beside an error.
func (s *Session) exchange(ctx context.Context, l *store.Locked, source provider.TokenSource, w way, req provider.TokenRequest) (provider.Token, error) {
	account, ok := l.Accounts[w.minter]
	if ok {
		sent := account.Credential
		req.Credential = &sent
	}
	asking, done := finishing(ctx)
	resp, err := source.Token(asking, req)
	done()
	if resp.Credential != nil {
		account.Credential = *resp.Credential
		l.Accounts[w.minter] = account
		if saveErr := l.Save(); saveErr != nil {
			return provider.Token{}, errors.Join(saveErr, err)
		}
	}
	if err != nil {
		return provider.Token{}, err
	}
	if req.Assertion != nil && resp.Token.Value.Equal(req.Assertion.Value) {
		return provider.Token{}, &provider.Error{
			Kind:    provider.ErrPermission,
			Message: fmt.Sprintf("%s handed over what %s said of who signed in: that never goes to a database", w.minter, w.identity),
		}
	}
	token, claims, err := s.checkFor(ctx, resp.Token, w, false)
	if err == nil {
		err = s.checkPlace(claims, resp.DatabaseID)
	}
	if err != nil {
		return provider.Token{}, fmt.Errorf("check the token that %s made: %w", w.minter, s.explainTime(err, resp.Token))
	}
	if ok {
		account.Refreshed = s.Now()
		l.Accounts[w.minter] = account
	}
	s.keep(&l.Record, token, w)
	return token, l.Save()
}

// stillSignedIn asks the provider that signed in whether it would still, before
// another one makes a token in its name.
func (s *Session) stillSignedIn(ctx context.Context, l *store.Locked, name string) error {
	identity, err := s.Providers.Identity(ctx, name)
	if err != nil {
		return err
	}
	sent := l.Accounts[name].Credential.Data
	err = s.refresh(ctx, l, identity, name)
	if errors.Is(err, provider.ErrRejected) && s.adopt(ctx, l, name, sent) {
		err = s.refresh(ctx, l, identity, name)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

func (s *Session) refresh(ctx context.Context, l *store.Locked, identity provider.Identity, name string) error {
	account := l.Accounts[name]
	asking, done := finishing(ctx)
	renewed, err := identity.Refresh(asking, account.Credential)
	done()
	if !renewed.Data.IsZero() && !renewed.Data.Equal(account.Credential.Data) {
		account.Credential = renewed
		l.Accounts[name] = account
		err = errors.Join(err, l.Save())
	}
	return err
}

// siblings are the waits before each look for what another process stored, which
// may be about to.
var siblings = []time.Duration{0, 25 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond}

// adopt looks whether the store has another credential than the one that was
// rejected: a process that doesn't share the lock (an older zen, a network's file
// system without locks) has renewed it then. It changes the record to what it read.
//
// Nothing is ever deleted for a rejection. An outage can look like one (an API that
// answers 401 to everybody for an hour), and a credential that is kept in vain
// costs one request.
func (s *Session) adopt(ctx context.Context, l *store.Locked, name string, sent provider.Secret) bool {
	if sent.IsZero() {
		return false
	}
	for _, wait := range siblings {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false
		}
		record, err := s.Store.LoadContext(ctx, s.Profile)
		if err != nil {
			return false
		}
		if account, ok := record.Accounts[name]; ok && !account.Credential.Data.Equal(sent) {
			l.Record = record
			return true
		}
	}
	return false
}

// grace is how long a call goes on after its caller has gone.
const grace = 3 * time.Second

// finishing is ctx with a grace: an issuer may have replaced the credential already,
// and its answer has to arrive, or the credential is lost. done releases it.
func finishing(ctx context.Context) (late context.Context, done func()) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return late, func() { stop(); cancel() }
}

// memory is how long an ended token is kept: what it allowed is the most that a
// fallback's may, should its provider be down when the next one is wanted.
const memory = 7 * 24 * time.Hour

// forgotten reports whether what ended then counts no more; zero never ends.
func (s *Session) forgotten(end time.Time) bool {
	return !end.IsZero() && s.Now().Round(0).Sub(end.Round(0)) > memory
}

// keep caches a token and drops those that ended long ago.
func (s *Session) keep(record *store.Record, token provider.Token, w way) {
	for key, old := range record.Tokens {
		if s.forgotten(old.Expires) {
			delete(record.Tokens, key)
		}
	}
	record.Tokens[s.keyOf(*record, w)] = token
}
