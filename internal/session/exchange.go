package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/store"
)

// fallbackLife is how long a fallback's token lives: it is issued for a while, often
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
	if errors.Is(err, provider.ErrRejected) && s.adopt(ctx, l, by.Provider, sent) {
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
	asking, done := finishing(ctx)
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
	return token, l.Save()
}

// stillSignedIn asks the provider that signed in whether it would still, before
// another one makes a token in its name.
func (s *Session) stillSignedIn(ctx context.Context, l *store.Locked, name string) error {
	identity, err := s.config.Providers.Identity(ctx, name)
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
	return errors.Join(err, replaced(l, name, &renewed))
}

// replaced stores the credential that a call has brought in place of the one of its account,
// which nil, an empty one and the same one leave as it is.
func replaced(l *store.Locked, name string, by *provider.Credential) error {
	account := l.Accounts[name]
	if by == nil || by.Data.IsZero() || by.Data.Equal(account.Credential.Data) {
		return nil
	}
	account.Credential = *by
	l.Accounts[name] = account
	return l.Save()
}

// WithCredential calls use with what is stored of a provider's sign-in, or nil, and stores
// what use returns in its place. It holds the profile's lock, since an issuer that rotates
// credentials takes each once, and use goes on for a moment after ctx has ended, as an
// issuer's answer may be on its way.
func (s *Session) WithCredential(ctx context.Context, name string, use func(context.Context, *provider.Credential) (*provider.Credential, error)) error {
	stored := func(record store.Record) *provider.Credential {
		account, ok := record.Accounts[name]
		if !ok || account.Credential.Data.IsZero() {
			return nil
		}
		return &account.Credential
	}
	if record, err := s.config.Store.LoadContext(ctx, s.config.Name); err != nil || stored(record) == nil {
		_, err := use(ctx, nil)
		return err
	}
	return s.config.Store.Lock(ctx, s.config.Name, func(l *store.Locked) error {
		credential := stored(l.Record)
		asking, done := finishing(ctx)
		defer done()
		next, err := use(asking, credential)
		if credential == nil {
			return err
		}
		return errors.Join(replaced(l, name, next), err)
	})
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
		record, err := s.config.Store.LoadContext(ctx, s.config.Name)
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

// granted are the rights of the token that a fallback's stands in for, not those of the
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
			Message: "no fallback: the profile's own provider has made no token for this database lately, so that nobody knows what one may allow",
		}
	}
	return s.rightsOf(token)
}

// rightsOf reads the most that a token allows, which was verified before it was stored.
// Where it has p, which is by kind of access and knows no tables, reading is granted by
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

// explainTime adds to a refusal for a new token's times what is wrong with the clock.
func (s *Session) explainTime(err error, token provider.Token) error {
	issuer := "its issuer"
	if token.Verification != nil {
		issuer = token.Verification.Issuer
	}
	return jwks.ExplainClock(err, token.Issued, s.config.Now(), issuer)
}

// actor is who is named in the audit log.
type actor struct{ provider, tokenProvider, subject string }

// name is the provider that makes the tokens.
func (a actor) name() string { return cmp.Or(a.tokenProvider, a.provider) }

// actorOf names the account of an issuer.
func actorOf(record store.Record, by cache.Issuer) actor {
	a := actor{provider: by.Identity, subject: subject(record.Accounts[by.Identity])}
	if by.Provider != by.Identity {
		a.tokenProvider = by.Provider
	}
	return a
}

// subject is whom an account belongs to, by the issuer's name for it.
func subject(account store.Account) string {
	if account.Claims.Subject != "" {
		return account.Claims.Subject
	}
	return account.Credential.Subject
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
