package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/lend"
	"github.com/zen-auth/zen/internal/store"
)

// fallbackLife is the life of a fallback's token: it is issued for a while, often
// by a credential that can do more than the token it stands in for.
const fallbackLife = 5 * time.Minute

// exchange has the issuing provider issue a token for what is stored, and writes that
// down.
func (s *Session) exchange(ctx context.Context, l *store.Locked, by cache.Issuer, n cache.Need) (provider.Token, error) {
	token, err := s.askProvider(ctx, l, by, n)
	if provider.Kind(err) != provider.ErrNoCredential {
		s.audit(audit.Refresh, actorOf(l.Record, by), token, err)
	}
	return token, err
}

func (s *Session) askProvider(ctx context.Context, l *store.Locked, by cache.Issuer, n cache.Need) (provider.Token, error) {
	if !by.Fallback && !s.needsNoSignIn(by) {
		if err := s.checkSignedIn(l.Record, by.Identity); err != nil {
			return provider.Token{}, err
		}
		if err := s.config.CheckOrganization(l.Record, by); err != nil {
			return provider.Token{}, err
		}
	}
	source, err := s.tokenSource(ctx, by)
	if err != nil {
		return provider.Token{}, err
	}
	req := provider.TokenRequest{Target: s.config.Target, Access: by.Rights.Access, Permissions: by.Rights.Permissions}
	switch {
	case n.MinTTL > 0:
		// More than asked, or the token would be too short a moment later.
		req.Lifetime = n.MinTTL + n.MinTTL/4 + time.Minute
	case by.Fallback:
		req.Lifetime = fallbackLife
	}
	if by.Identity != by.Provider {
		need, err := s.config.Providers.Need(ctx, by.Provider)
		switch {
		case err != nil:
		case need != nil:
			req.Assertion, err = s.assertion(ctx, l, by, *need)
		default:
			err = s.stillSignedIn(ctx, l, by.Identity)
		}
		if err != nil {
			return provider.Token{}, err
		}
		claims := l.Accounts[by.Identity].Claims
		req.Claims = &claims
	}
	sent := l.Accounts[by.Provider].Credential.Data
	token, err := s.call(ctx, l, source, by, req, n)
	if died(err) && ctx.Err() == nil {
		// It is not known whether the issuer has replaced the credential. The next
		// request for a token would send the one that is stored, too, and sooner is
		// better: an issuer may still take it. No other layer makes the call again.
		token, err = s.call(ctx, l, source, by, req, n)
	}
	if errors.Is(err, provider.ErrRejected) && lend.Adopt(ctx, l, by.Provider, sent) {
		// A process that doesn't share the lock has replaced the credential.
		if token, err := s.cached(ctx, l.Record, by, n); err == nil {
			return token, nil
		}
		token, err = s.call(ctx, l, source, by, req, n)
	}
	if err != nil {
		return provider.Token{}, err
	}
	if n.MinTTL > 0 && !n.Fits(token, s.clock()) {
		return provider.Token{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("tokens of %s live %s, less than the %s asked for", by.Provider, token.Expires.Sub(token.Issued), n.MinTTL),
			Hint:    "ask for less, or lengthen the token's life at the issuer",
		}
	}
	return token, nil
}

// tokenSource starts the issuing provider and, where another one signed in, that one
// beside it: the start of a process takes longer than an exchange.
func (s *Session) tokenSource(ctx context.Context, by cache.Issuer) (provider.TokenSource, error) {
	var starting sync.WaitGroup
	if by.Identity != "" && by.Identity != by.Provider {
		starting.Go(func() {
			_, _ = s.config.Providers.Identity(ctx, by.Identity) // what is wrong is seen at its use
		})
	}
	defer starting.Wait()
	return s.config.Providers.TokenSource(ctx, by.Provider)
}

// needsNoSignIn reports whether a sign-in is not asked for: where nothing is kept,
// the provider's settings may be all that it needs.
func (s *Session) needsNoSignIn(by cache.Issuer) bool {
	return s.config.Store.Ephemeral() && by.Identity != "" && by.Identity == by.Provider
}

// died reports whether a provider's process ended in the call (host.CrashError).
func died(err error) bool {
	var crash interface {
		error
		Died() bool
	}
	return errors.As(err, &crash) && crash.Died()
}

// call makes one call. A replaced credential is stored before anything that came with
// it is used, also beside an error.
func (s *Session) call(ctx context.Context, l *store.Locked, source provider.TokenSource, by cache.Issuer, req provider.TokenRequest, n cache.Need) (provider.Token, error) {
	account, ok := l.Accounts[by.Provider]
	if ok {
		sent := account.Credential
		req.Credential = &sent
	}
	asking, done := lend.Finishing(ctx)
	resp, err := source.Token(asking, req)
	done()
	if resp.Credential != nil {
		account.Credential = *resp.Credential
		l.Accounts[by.Provider] = account
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
			Message: fmt.Sprintf("%s handed over what %s said of who signed in: that never goes to a database", by.Provider, by.Identity),
		}
	}
	token, claims, err := s.config.Check(resp.Token, by.Rights, s.verify(ctx, false))
	if err == nil {
		err = s.config.CheckPlace(claims, resp.DatabaseID)
	}
	if err != nil {
		return provider.Token{}, fmt.Errorf("check the token that %s made: %w", by.Provider, s.explainTime(err, resp.Token))
	}
	if ok {
		account.Refreshed = s.config.Now()
		l.Accounts[by.Provider] = account
	}
	s.keep(&l.Record, token, by)
	if n.AfterRefusal {
		s.backOff(&l.Record, by)
	}
	if s.issued != nil {
		s.issued()
	}
	return token, l.Save()
}

// stillSignedIn asks the provider that signed in whether it would still, before
// another one makes a token in its name.
func (s *Session) stillSignedIn(ctx context.Context, l *store.Locked, name string) error {
	identity, err := s.config.Providers.Identity(ctx, name)
	if err != nil {
		return err
	}
	err = lend.Call(ctx, l, name, func(ctx context.Context, c provider.Credential) (*provider.Credential, error) {
		renewed, err := identity.Refresh(ctx, c)
		return &renewed, err
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// WithCredential is [lend.Stored] for what the profile has of a provider.
func (s *Session) WithCredential(ctx context.Context, name string, use func(context.Context, *provider.Credential) (*provider.Credential, error)) error {
	return lend.Stored(ctx, s.config.Store, s.config.Name, name, use)
}

// ActRequest is an action that another process is to perform, for the reason that there
// is a cache.Renewal. It has no secret in it.
type ActRequest struct {
	Profile string
	// Do says which one it is, and so what of the rest counts.
	Do           string
	Organization string
	Invite       provider.Invite
	// ID is the id of a member or an invitation, Email the address that it is for.
	ID, Email, Role string
}

// The actions that sessions have themselves.
const (
	ActOrganizations   = "organizations"
	ActUseOrganization = "use-organization"
)

// Action is a call that a provider that signed in makes in the name of its account.
type Action[S, T any] struct {
	// Request is the action for another process, but for the profile.
	Request ActRequest
	// Do makes the call by one of the provider's services. The credential that it returns
	// replaces the one that it was given; nil means none.
	Do func(ctx context.Context, service S, c provider.Credential) (T, *provider.Credential, error)
	// Keep changes the record by the result; nil changes nothing.
	Keep func(record *store.Record, provider string, result T)
	// Event is the event in the audit log; nil means none.
	Event func(result T) audit.Event
}

// Act has the provider of the sign-in perform an action: by another process, if there is
// one. A service that the provider doesn't have is errors.ErrUnsupported.
func Act[S, T any](ctx context.Context, s *Session, a Action[S, T]) (result T, err error) {
	if s.config.ActInChild != nil && !s.config.Store.Ephemeral() {
		a.Request.Profile = s.config.Name
		answer, err := s.config.ActInChild(ctx, a.Request)
		if err == nil {
			return result, json.Unmarshal(answer, &result)
		}
		if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, provider.ErrNoProvider) {
			return result, err
		}
		// In this process the user can be asked whether a provider may run.
	}
	return actHere(ctx, s, a)
}

// actHere is Act in this process, under the profile's lock.
func actHere[S, T any](ctx context.Context, s *Session, a Action[S, T]) (result T, err error) {
	var who actor
	if a.Event != nil {
		defer func() { s.write(a.Event(result), who, err) }()
	}
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return result, err
	}
	who.provider, _ = s.config.Profile.Providers(record)
	if err := s.checkSignedIn(record, who.provider); err != nil {
		return result, err
	}
	// No provider begins under the lock.
	identity, err := s.config.Providers.Identity(ctx, who.provider)
	if err != nil {
		return result, err
	}
	service, ok := identity.(S)
	if !ok {
		return result, errors.ErrUnsupported
	}
	err = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		if err := s.checkSignedIn(l.Record, who.provider); err != nil {
			return err
		}
		who.subject = l.Accounts[who.provider].Subject()
		err := lend.Call(ctx, l, who.provider, func(ctx context.Context, c provider.Credential) (next *provider.Credential, err error) {
			result, next, err = a.Do(ctx, service, c)
			return next, err
		})
		if err != nil || a.Keep == nil {
			return err
		}
		a.Keep(&l.Record, who.provider, result)
		return l.Save()
	})
	return result, err
}

// explainTime adds to a refusal for a new token's times what is wrong with the clock.
func (s *Session) explainTime(err error, token provider.Token) error {
	issuer := "its issuer"
	if token.Verification != nil {
		issuer = token.Verification.Issuer
	}
	return jwks.ExplainClock(err, token.Issued, s.config.Now(), issuer)
}

// actor is the name for the audit log.
type actor struct{ provider, tokenProvider, subject string }

// name returns the provider that issues the tokens.
func (a actor) name() string { return cmp.Or(a.tokenProvider, a.provider) }

// actorOf names the account of an issuer.
func actorOf(record store.Record, by cache.Issuer) actor {
	a := actor{provider: by.Identity, subject: record.Accounts[by.Identity].Subject()}
	if by.Provider != by.Identity {
		a.tokenProvider = by.Provider
	}
	return a
}

// audit writes down what became of something.
func (s *Session) audit(kind audit.Kind, who actor, token provider.Token, err error) {
	host := ""
	if u, err := url.Parse(s.config.Target.URL); err == nil {
		host = u.Host
	}
	s.write(audit.Event{Kind: kind, Database: host, TokenExpires: token.Expires}, who, err)
}

// write completes an event and writes it down.
func (s *Session) write(e audit.Event, who actor, err error) {
	if s.config.Audit == nil {
		return
	}
	e.Profile, e.Provider, e.TokenProvider, e.Subject = s.config.Name, who.provider, who.tokenProvider, who.subject
	e.Outcome = audit.Outcome(err)
	s.config.Audit.Write(e)
}

// renew issues a new token, unless another process was first. Where a stored credential
// is at stake and another process can make the renewal, that one does.
func (s *Session) renew(ctx context.Context, record store.Record, by cache.Issuer, n cache.Need) (provider.Token, error) {
	if s.config.RenewInChild != nil && s.atStake(record, by) {
		err := s.config.RenewInChild(ctx, s.config.Renewal(by, n))
		if err == nil {
			return s.renewed(ctx, by)
		}
		if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, provider.ErrNoProvider) {
			return provider.Token{}, err
		}
		// In this process the user can be asked whether a provider may run.
	} else if by.Fallback {
		// A program that becomes another one takes no lock along.
		if _, err := s.config.Providers.Describe(ctx, by.Provider); err != nil {
			return provider.Token{}, err
		}
	}
	return s.renewHere(ctx, by, n)
}

// renewHere issues a new token under the profile's lock, so that however many
// processes want one, one of them asks for it and the others find it stored.
func (s *Session) renewHere(ctx context.Context, by cache.Issuer, n cache.Need) (token provider.Token, err error) {
	err = s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		if !by.Fallback {
			by = s.config.Own(l.Record) // a login may have been in between
		}
		if token, err = s.cached(ctx, l.Record, by, n); err == nil {
			return nil
		}
		token, err = s.exchange(ctx, l, by, n)
		return err
	})
	if err != nil {
		return provider.Token{}, err
	}
	return token, nil
}

// atStake reports whether a provider of the issuer has a stored credential, which a
// renewal may replace.
func (s *Session) atStake(record store.Record, by cache.Issuer) bool {
	// No other process could renew what is in this one's memory alone.
	return !s.config.Store.Ephemeral() && cache.AtStake(record, by)
}

// renewed returns the token that another process has stored. However short it may live,
// it is what the issuer issues.
func (s *Session) renewed(ctx context.Context, by cache.Issuer) (provider.Token, error) {
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return provider.Token{}, err
	}
	if !by.Fallback {
		by = s.config.Own(record)
		if err := s.checkSignedIn(record, by.Identity); err != nil {
			return provider.Token{}, err // since a moment ago
		}
	}
	token, claims, err := s.config.Check(record.Tokens[s.config.Key(record, by)], by.Rights, s.verify(ctx, false))
	if err != nil {
		return token, err
	}
	return token, s.config.CheckStoredPlace(claims)
}

// assertion asks the provider that signed in for the statement that the one which makes
// the tokens needs. It is the proof that the sign-in is still good, so that nothing is
// refreshed beside it. It is never kept: neither in the store nor for another call.
func (s *Session) assertion(ctx context.Context, l *store.Locked, by cache.Issuer, need provider.AssertionNeed) (*provider.Assertion, error) {
	source, err := s.config.Providers.AssertionSource(ctx, by.Identity)
	if err != nil {
		return nil, err
	}
	var a provider.Assertion
	err = lend.Call(ctx, l, by.Identity, func(ctx context.Context, c provider.Credential) (next *provider.Credential, err error) {
		a, next, err = source.Assertion(ctx, provider.AssertionRequest{Credential: c, Audience: need.Audience, Kinds: need.Kinds})
		return next, err
	})
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, noAssertion(by.Identity, by.Provider)
	case err != nil:
		return nil, err
	}
	if err := s.checkAssertion(a, need); err != nil {
		return nil, fmt.Errorf("check what %s says to %s: %w", by.Identity, by.Provider, err)
	}
	return &a, nil
}

// checkAssertion refuses a statement that another provider must not see: one that was
// made for another audience.
func (s *Session) checkAssertion(a provider.Assertion, need provider.AssertionNeed) error {
	wrong := func(kind error, format string, args ...any) error {
		return &provider.Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case a.Value.IsZero():
		return wrong(provider.ErrTokenInvalid, "it is empty")
	case !slices.Contains(need.Kinds, a.Kind):
		return wrong(provider.ErrPermission, "it is of the kind %.40q, which was not asked for", a.Kind)
	case !a.Expires.IsZero() && !s.config.Now().Round(0).Before(a.Expires.Round(0)):
		return wrong(provider.ErrTokenExpired, "it ended at %s", a.Expires.UTC())
	case a.Kind != provider.AssertionJWT || need.Audience == "":
		return nil
	}
	claims, err := jwks.DecodeUnverified(a.Value) // the one that takes it verifies it
	switch {
	case err != nil:
		return err
	case !slices.Contains(claims.Audience, need.Audience):
		return wrong(provider.ErrPermission, "it is not for the audience %s", need.Audience)
	}
	return nil
}

func noAssertion(identity, issuing string) error {
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("provider %s can't tell %s who signed in", identity, issuing),
		Hint:    fmt.Sprintf("sign in with a provider that makes assertions, or have the tokens made by another one than %s (token_provider)", issuing),
	}
}
