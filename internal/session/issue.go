package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/store"
)

// issue returns the corridor to a token. forTransport says that the caller learns when the
// database refuses the token: for others, a breaker counts only if the profile's own
// provider is unavailable. The caller has the turn.
func (s *Session) issue(ctx context.Context, n cache.Need, forTransport bool) (provider.Token, error) {
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return provider.Token{}, err
	}
	s.noteRefusals(len(record.Refusals) > 0)
	state := s.breaker(record)
	route := state.Route(s.config.Now())
	if !forTransport && state.Because == breaker.Refused {
		route = breaker.Own
	}
	switch route {
	case breaker.Trial:
		return s.issueTrial(ctx, s.config.Own(record), n)
	case breaker.Fallback:
		if token, err := s.issueByFallback(ctx, record, state, n); err == nil {
			return token, nil
		}
	}
	own := s.config.Own(record)
	token, err := s.issueBy(ctx, record, own, n)
	switch {
	case err != nil && route == breaker.Own && provider.Kind(err) == provider.ErrUnavailable && len(s.config.Fallback) > 0:
		return s.open(ctx, outcome{because: breaker.Unavailable, err: err, need: n})
	case err != nil:
		return provider.Token{}, err
	case !state.Open() || route == breaker.Fallback: // or it isn't what this session's requests go on with
		s.use(token, own, time.Time{})
	}
	return token, nil
}

// issueNew returns another token of the profile's own provider than the stored one. It is
// provider.ErrNoCredential where the sign-in has nothing to renew with.
func (s *Session) issueNew(ctx context.Context, minTTL time.Duration) (provider.Token, error) {
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return provider.Token{}, err
	}
	by, n := s.config.Own(record), cache.Need{MinTTL: minTTL}
	stored := record.Tokens[s.config.Key(record, by)]
	if !stored.Value.IsZero() {
		n.Refused = cache.Fingerprint(stored)
	}
	token, err := s.renew(ctx, record, by, n)
	if err != nil {
		return provider.Token{}, err
	}
	if token.Value.Equal(stored.Value) && endsWithSignIn(record, by, token) {
		return provider.Token{}, &provider.Error{
			Kind:    provider.ErrNoCredential,
			Message: fmt.Sprintf("this sign-in with %s can't be renewed: it is one token, and no other can be had with it", by.Provider),
			Hint:    names.LoginCommand(s.config.Name) + " signs in again; until then zen token prints the one that there is",
		}
	}
	s.tellEnd(record, by, token)
	return token, nil
}

// endsWithSignIn reports whether a token lives as long as the sign-in that it is of. An
// issuer's tokens are shorter than that, and those of one second may be the same.
func endsWithSignIn(record store.Record, by cache.Issuer, token provider.Token) bool {
	return record.Accounts[by.Provider].Credential.Expires.Equal(token.Expires)
}

// issueBy returns a token of an issuer: a cached one, or a new one.
func (s *Session) issueBy(ctx context.Context, record store.Record, by cache.Issuer, n cache.Need) (provider.Token, error) {
	token, err := s.cached(ctx, record, by, n)
	if err != nil {
		token, err = s.renew(ctx, record, by, n)
	}
	if err == nil {
		s.tellEnd(record, by, token)
	}
	return token, err
}

// issueByFallback returns a token of the open breaker's fallback, and says once that it is in
// use.
func (s *Session) issueByFallback(ctx context.Context, record store.Record, state breaker.State, n cache.Need) (provider.Token, error) {
	by := cache.FallbackOf(state)
	token, err := s.issueBy(ctx, record, by, n)
	if err != nil {
		return provider.Token{}, err
	}
	s.announce(record, by, token, state.Because)
	return s.use(token, by, state.RetryAt), nil
}

// issueAgain returns another token than the refused one, of the same issuer.
func (s *Session) issueAgain(ctx context.Context, refused provider.Token) (provider.Token, error) {
	now := s.held()
	ofCurrent, ofTrial := now.token.Value.Equal(refused.Value), s.isTrial(refused)
	if !ofCurrent && !ofTrial && now.good(s.config.Now()) {
		return now.token, nil // another request was refused before
	}
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return provider.Token{}, err
	}
	by := s.config.Own(record)
	if ofCurrent && now.by.Fallback {
		by = now.by
	}
	s.audit(audit.Refused, actorOf(record, by), refused, provider.ErrRejected)
	if ofTrial {
		return s.trialRefused(ctx, refused)
	}
	if err := s.backedOff(record, by); err != nil {
		return provider.Token{}, err
	}
	token, err := s.renew(ctx, record, by, cache.Need{Refused: cache.Fingerprint(refused), AfterRefusal: true})
	if err != nil {
		return provider.Token{}, err
	}
	s.noteRefusals(true)
	return s.use(token, by, now.retryAt), nil
}

// issueFallback returns a token of the next fallback after the issuer of a token that the
// database refused.
func (s *Session) issueFallback(ctx context.Context, refused provider.Token) (provider.Token, error) {
	now := s.held()
	o := outcome{refused: refused}
	switch {
	case now.token.Value.Equal(refused.Value):
		if now.by.Fallback {
			o.after = now.by.Provider
		}
	case now.good(s.config.Now()):
		return now.token, nil // another request was first
	}
	return s.open(ctx, o)
}

// outcome is the result of the issuer named after ("" is the profile's own): its token
// was refused, or it could issue none, by err.
type outcome struct {
	refused provider.Token
	because breaker.Cause
	err     error
	after   string
	need    cache.Need
}

// open goes through the fallbacks until one issues a token, and keeps the open breaker
// for other processes. The caller has the turn.
func (s *Session) open(ctx context.Context, o outcome) (provider.Token, error) {
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return provider.Token{}, err
	}
	state, now := s.breaker(record), s.config.Now()
	if state.Serves(s.config.Fallback, o.after, now) {
		return s.issueByFallback(ctx, record, state, o.need) // another process was first
	}
	rights := state.Rights
	if !state.Open() || o.after == "" {
		state = breaker.State{}
		if rights, err = s.granted(record, o.refused); err != nil {
			return provider.Token{}, o.failed(err)
		}
	}
	var failures error
	for _, name := range breaker.Candidates(s.config.Fallback, s.config.Own(record).Provider, o.after) {
		token, err := s.openBy(ctx, record, state, name, rights, o)
		if err == nil {
			return token, nil
		}
		if err = fmt.Errorf("fallback %s: %w", name, err); failures != nil {
			err = fmt.Errorf("%w; %w", failures, err)
		}
		failures = err
	}
	return provider.Token{}, o.failed(failures)
}

// openBy gets a token by one fallback and, if there is one, keeps the open breaker.
func (s *Session) openBy(ctx context.Context, record store.Record, state breaker.State, name string, rights breaker.Rights, o outcome) (provider.Token, error) {
	description, err := s.config.Providers.Describe(ctx, name)
	if err != nil {
		return provider.Token{}, err
	}
	if o.because == breaker.Unavailable {
		state = state.Unavailable(s.config.Now(), name, rights)
	} else {
		state = state.Refused(s.config.Now(), name, rights)
	}
	state.EnvNames = envNames(description)
	token, err := s.issueByFallback(ctx, record, state, o.need)
	if err != nil {
		return provider.Token{}, err
	}
	// Without a stored breaker each process finds out for itself.
	_ = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		s.setBreaker(&l.Record, state)
		s.forgetRefused(&l.Record, o.refused)
		return l.Save()
	})
	return token, nil
}

// forgetRefused drops the cached token of the profile's own provider, if it is the one
// that was refused: the next trial is with a new one.
func (s *Session) forgetRefused(record *store.Record, refused provider.Token) {
	if key := s.config.Key(*record, s.config.Own(*record)); record.Tokens[key].Value.Equal(refused.Value) {
		delete(record.Tokens, key)
	}
}

// failed returns the error where no fallback issues a token, after their failures, if there
// are any.
func (o outcome) failed(failures error) error {
	switch {
	case o.err == nil && failures == nil:
		return fmt.Errorf("no fallback provider is configured: %w", errors.ErrUnsupported)
	case o.err == nil:
		return failures
	case failures == nil:
		return o.err
	}
	return &provider.Error{
		Kind: provider.ErrUnavailable, Hint: provider.Hint(o.err), Err: o.err,
		Message: fmt.Sprintf("%v (%v)", o.err, failures),
	}
}

// issueTrial claims the next trial for this process and returns a token of the
// profile's own provider, with which the caller's request tries it. Where another
// process was first, or that provider can't issue any, the token is the fallback's. A
// sign-in that has ended closes the breaker: a user who was signed out doesn't go on by
// the fallback.
func (s *Session) issueTrial(ctx context.Context, own cache.Issuer, n cache.Need) (provider.Token, error) {
	// A program that can't start providers becomes one that can now, and not between
	// the claim and the trial.
	_, _ = s.config.Providers.Describe(ctx, own.Provider)
	record, state, claimed, err := s.claimTrial(ctx)
	if err != nil {
		return provider.Token{}, err
	}
	if state.Open() && !claimed {
		return s.issueByFallback(ctx, record, state, n)
	}
	own = s.config.Own(record)
	token, err := s.issueBy(ctx, record, own, n)
	switch kind := provider.Kind(err); {
	case state.Open() && (kind == provider.ErrUnavailable || kind == provider.ErrConfig || kind == provider.ErrNoProvider):
		return s.issueByFallback(ctx, record, state, n)
	case err != nil && kind == nil: // the caller has gone, or the store can't be read
		return provider.Token{}, err
	case err != nil:
		s.closeBreaker(ctx, false)
		return provider.Token{}, err
	case !state.Open() || state.Because == breaker.Unavailable: // that it issues tokens is all that was missing
		s.use(token, own, time.Time{})
		s.closeBreaker(ctx, state.Open())
		return token, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.retryAt, s.trial = state.RetryAt, token
	return token, nil
}

// claimTrial counts the trial that is due before it is made, so that this process alone
// makes it. The record is the one that was stored with that.
func (s *Session) claimTrial(ctx context.Context) (record store.Record, state breaker.State, claimed bool, err error) {
	err = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		if state = s.breaker(l.Record); state.Route(s.config.Now()) == breaker.Trial {
			state, claimed = state.TrialFailed(s.config.Now()), true
			s.setBreaker(&l.Record, state)
		}
		record = l.Record
		if !claimed {
			return nil
		}
		return l.Save()
	})
	return record, state, claimed, err
}

// trialRefused goes back to the fallback, with the rights of the token that was refused
// now: the issuer may have changed what it allows.
func (s *Session) trialRefused(ctx context.Context, refused provider.Token) (provider.Token, error) {
	s.mu.Lock()
	s.trial = provider.Token{}
	s.mu.Unlock()
	rights, err := s.rightsOf(refused)
	if err != nil {
		s.closeBreaker(ctx, false)
		return provider.Token{}, err
	}
	var record store.Record
	var state breaker.State
	err = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		if state = s.breaker(l.Record); !state.Open() {
			return nil
		}
		state = state.Limited(rights)
		s.setBreaker(&l.Record, state)
		s.forgetRefused(&l.Record, refused)
		record = l.Record
		return l.Save()
	})
	if err != nil {
		return provider.Token{}, err
	}
	if !state.Open() {
		return s.open(ctx, outcome{refused: refused})
	}
	if now := s.held(); now.good(s.config.Now()) && now.by.Rights.Equal(state.Rights) {
		return now.token, nil
	}
	return s.issueByFallback(ctx, record, state, cache.Need{})
}

// endTrial closes the breaker, after the database took the token of a trial.
func (s *Session) endTrial(ctx context.Context, token provider.Token) error {
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil || !s.isTrial(token) {
		return err
	}
	s.use(token, s.config.Own(record), time.Time{})
	s.closeBreaker(ctx, true)
	return nil
}

// closeBreaker closes the breaker, here and in the store, where other processes would
// find out for themselves if that failed.
func (s *Session) closeBreaker(ctx context.Context, works bool) {
	var who actor
	_ = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		s.setBreaker(&l.Record, s.breaker(l.Record).Recovered())
		who = actorOf(l.Record, s.config.Own(l.Record))
		return l.Save()
	})
	s.mu.Lock()
	announced := s.announced
	s.announced = ""
	if s.current.by.Fallback {
		s.current = current{}
	}
	token := s.current.token
	s.mu.Unlock()
	if !works {
		return
	}
	s.audit(audit.Return, who, token, nil)
	if announced != "" {
		s.config.Notify(fmt.Sprintf("the tokens of %s work again", who.name()))
	}
}

// announce says once that a fallback is in use, until it isn't or another one is.
func (s *Session) announce(record store.Record, by cache.Issuer, token provider.Token, because breaker.Cause) {
	s.mu.Lock()
	announced := s.announced == by.Provider
	s.announced = by.Provider
	s.mu.Unlock()
	if announced {
		return
	}
	s.audit(audit.Fallback, actorOf(record, by), token, nil)
	why := "the database refuses the tokens of"
	if because == breaker.Unavailable {
		why = "no token can be had from"
	}
	s.config.Notify(fmt.Sprintf("%s %s: using %s (fallback, access %s) until that has changed", why, s.config.Own(record).Provider, by.Provider, by.Rights.Access))
}

// granted returns the rights of the token that a fallback's stands in for, not those of the
// profile: the issuer may allow this person less than the profile asks for. Of a token
// that was never issued nothing is known, so that there is no fallback for it.
func (s *Session) granted(record store.Record, token provider.Token) (breaker.Rights, error) {
	if token.Value.IsZero() {
		token = record.Tokens[s.config.Key(record, s.config.Own(record))]
		if breaker.Forgotten(token.Expires, s.config.Now()) { // and nothing was written since
			token = provider.Token{}
		}
	}
	if token.Value.IsZero() {
		return breaker.Rights{}, &provider.Error{
			Kind:    provider.ErrUnavailable,
			Message: "no fallback: the profile's own provider has made no token for this database lately, so that it is not known what one may allow",
		}
	}
	return s.rightsOf(token)
}

// rightsOf reads the most that a token allows, which was verified before it was stored.
// If it has p, which is by kind of access and knows no tables, reading is granted by
// all known kinds but ddl: what an unknown kind grants is nothing that a fallback may be
// given.
func (s *Session) rightsOf(token provider.Token) (breaker.Rights, error) {
	claims, err := jwks.DecodeUnverified(token.Value) // it may have ended, which Verify would refuse
	if err != nil {
		return breaker.Rights{}, err
	}
	db := claims.Database
	if db == nil {
		return breaker.Rights{}, fmt.Errorf("no fallback: %w: the token that it would stand in for has no database claims", provider.ErrPermission)
	}
	rights := breaker.Rights{Access: provider.AccessReadOnly, Permissions: db.Permissions}
	if len(rights.Permissions) == 0 {
		rights.Permissions = s.config.Permissions
	}
	read := len(db.Namespaces) == 0
	for _, kind := range []string{"ro", "rw", "roa", "rwa"} {
		read = read || len(db.Namespaces[kind]) > 0
	}
	writes := len(db.Namespaces) == 0 && db.Access != provider.AccessReadOnly || len(db.Namespaces["rw"])+len(db.Namespaces["rwa"]) > 0
	if !read {
		return breaker.Rights{}, fmt.Errorf("no fallback: %w: the token that it would stand in for can't read", provider.ErrPermission)
	}
	if writes && s.config.Access != provider.AccessReadOnly {
		rights.Access = provider.AccessReadWrite
	}
	return rights, nil
}

// endingSoon is the time before its end from which the end of a token is announced.
const endingSoon = 7 * 24 * time.Hour

// tellEnd says once that a token ends soon which ends with its sign-in, so that no other
// will take its place. The caller has the turn.
func (s *Session) tellEnd(record store.Record, by cache.Issuer, token provider.Token) {
	signIn := record.Accounts[by.Provider].Credential.Expires
	left := token.Expires.Round(0).Sub(s.config.Now().Round(0))
	if s.endTold || token.Expires.IsZero() || signIn.After(token.Expires) || signIn.IsZero() ||
		!cache.LongLived(token) || left > endingSoon || left <= 0 {
		return
	}
	s.endTold = true
	s.config.Notify(fmt.Sprintf("the token of %s ends in %s, on %s, and can't be renewed", by.Provider, days(left), token.Expires.UTC().Format("2006-01-02 15:04 MST")))
}

// days rounds a duration down to what a person plans with.
func days(d time.Duration) string {
	switch n := int(d / (24 * time.Hour)); {
	case n > 1:
		return fmt.Sprintf("%d days", n)
	case d >= 24*time.Hour:
		return "a day"
	}
	return "less than a day"
}

func envNames(d provider.Description) []string {
	var names []string
	for _, field := range d.Fields {
		names = append(names, field.Env...)
	}
	return names
}
