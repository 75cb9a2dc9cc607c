// Package session turns a stored credential into a token that is good now.
//
// A token request walks one corridor, issue: the record is loaded once, the breaker
// says which provider issues, and a good cached token is handed out. Otherwise, under
// the profile's lock, the record and the breaker are looked at again, a provider is
// asked, and what it answered is saved.
//
// A good cached token costs no process and no network: it is read from the store, its
// signature is checked against the key set on disk, and it is handed out. While a token
// is in use, its successor is issued in the background.
//
// While the tokens of the profile's own provider don't reach the database, those of a
// fallback provider do, with no more rights, until the first one works again.
package session

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/keyring"
	"github.com/zen-auth/zen/internal/store"
)

// Providers starts provider processes when they are needed.
type Providers interface {
	// Describe returns a provider's description, without settings.
	Describe(ctx context.Context, name string) (provider.Description, error)
	// Identity, TokenSource and AssertionSource return a configured provider's service.
	Identity(ctx context.Context, name string) (provider.Identity, error)
	TokenSource(ctx context.Context, name string) (provider.TokenSource, error)
	AssertionSource(ctx context.Context, name string) (provider.AssertionSource, error)
	// Need describes what a provider needs of another one that signed in, with the audience
	// that its settings say; nil if that is nothing.
	Need(ctx context.Context, name string) (*provider.AssertionNeed, error)
}

// Verifier checks tokens.
type Verifier interface {
	// Verify checks the token's signature as token.Verification says, where there
	// is one, and its times always. With offline, only keys on disk are used.
	Verify(ctx context.Context, token provider.Token, offline bool) (provider.Claims, error)
}

// Config configures a session. Of its Profile the name and SettingsHash are required,
// and Store, Providers and Verifier.
type Config struct {
	cache.Profile

	Store     *store.Store
	Providers Providers
	Verifier  Verifier
	// Notify takes notices for the user: that a fallback is in use, and that it ended.
	// Each call is one line without a prefix. If nil, notices are discarded.
	Notify func(text string)
	// Audit takes what was done with credentials; if nil, nothing is written down.
	Audit *audit.Log
	// RenewInChild has another process make a renewal, one that goes on when this one is
	// killed, and returns when its token is in the store. Its error is
	// errors.ErrUnsupported where that isn't possible. If nil, all renewals are made in
	// this process.
	RenewInChild func(context.Context, cache.Renewal) error
	// ActInChild has another process perform an action, which may replace the credential,
	// too, and returns its result as JSON. Its errors are like those of RenewInChild.
	ActInChild func(context.Context, ActRequest) (json.RawMessage, error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Jitter is the point in [0, 1) at which a token's renewal falls, so that the processes that
	// share it don't all renew at once. Nil means by process and token.
	Jitter func(provider.Token) float64
}

// Credentials returns the store of the configuration: its state directory, the storage
// that it asks for, the system's keyring. notice takes what a person should be told
// of that, a line at a time; if nil, notices are discarded.
func Credentials(cfg *config.Config, o keyring.Options, notice func(line string)) *store.Store {
	if notice == nil {
		notice = func(string) {}
	}
	return store.New(cfg.Paths.StateDir,
		store.WithKeyring(keyring.New(o)),
		store.WithNotice(notice),
		store.WithStorage(func(profile string) store.Storage {
			p, err := cfg.Profile(profile)
			if err != nil {
				return ""
			}
			return store.Storage(p.Storage.Value)
		}))
}

// FromProfile returns the Config of a resolved profile. With the storage none its
// credentials are not in the store, but in the session's memory. notify is
// Config.Notify.
func FromProfile(cfg *config.Config, p config.Profile, credentials *store.Store, providers Providers, notify func(string)) Config {
	c := Config{
		Profile:   cache.FromConfig(cfg, p),
		Store:     credentials,
		Providers: providers,
		Verifier:  verifier{cacheDir: filepath.Join(cfg.Paths.CacheDir(), "keys"), now: time.Now},
		Notify:    notify,
	}
	if store.Storage(p.Storage.Value) == store.StorageNone {
		c.Store = store.NewMemory()
	}
	if path := cfg.Audit.Value; path != "" {
		c.Audit = audit.New(path, func(err error) {
			if notify != nil {
				notify(err.Error())
			}
		})
	}
	return c
}

// Session is a credential made usable. It is safe for concurrent use. Close it: it
// owns the renewal that may be under way.
type Session struct {
	config Config
	// issued is called before a new token is stored; see MakeRenewal.
	issued func()

	// turn is held by the one goroutine that reads the store and issues. Those that
	// wait for it find the result in current.
	turn chan struct{}
	// endTold is true once the user was notified that the token will expire. Only the holder of
	// turn uses it.
	endTold bool
	// base ends with Close.
	base   context.Context
	cancel context.CancelFunc
	// background counts the goroutines of the session.
	background sync.WaitGroup

	// mu guards what is below. It is held for moments only.
	mu      sync.Mutex
	current current
	// trial is the token with which one request tries the profile's own provider, while
	// the others go on with the fallback's in current.
	trial provider.Token
	// announced is the fallback provider that the user was notified of; empty if none is in use.
	announced string
	// refusals says that the store has some, perhaps of this session's token.
	refusals bool
	attempts attempts
	renewing bool
	closed   bool
}

// New returns a session.
func New(config Config) *Session {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Notify == nil {
		config.Notify = func(string) {}
	}
	config.Access = cmp.Or(config.Access, provider.AccessReadWrite)
	if config.Jitter == nil {
		config.Jitter = cache.Jitter
	}
	s := &Session{config: config, turn: make(chan struct{}, 1)}
	s.base, s.cancel = context.WithCancel(context.Background())
	return s
}

// Config returns a copy of what the session was made with.
func (s *Session) Config() Config { return s.config }

// Profile returns the name of the session's profile.
func (s *Session) Profile() string { return s.config.Name }

// Target returns the database that the tokens are for.
func (s *Session) Target() provider.Target { return s.config.Target }

// Access returns the most that the tokens may do.
func (s *Session) Access() provider.Access { return s.config.Access }

// NeedsDatabase returns an error for a session whose profile has no database.
func (s *Session) NeedsDatabase() error {
	if s.config.Target.URL != "" {
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("profile %q has no database", s.config.Name),
		Hint:    fmt.Sprintf("write database = \"libsql://...\" below [profiles.%s] in %s, or set ZEN_DATABASE", s.config.Name, s.config.ConfigFile),
	}
}

// Token returns a token that is good now: the current one, a stored one, or a new
// one. It is the transport's: while the database is known to refuse the tokens of the
// profile's own provider, the token is a fallback's.
func (s *Session) Token(ctx context.Context) (provider.Token, error) {
	if token, ok := s.usable(); ok {
		return token, nil
	}
	before := s.begun()
	return s.inTurn(ctx, func() (provider.Token, error) {
		if token, ok := s.usable(); ok {
			return token, nil // of the one whose turn it was before
		}
		return s.attempt(ctx, before, func() (provider.Token, error) { return s.issue(ctx, cache.Need{}, true) })
	})
}

// TokenFor returns a token that is good for at least minTTL from now on; zero is
// the usual margin. It is for callers that use the token themselves, of whose refusal
// the session would learn nothing: it is a fallback's only while the profile's own
// provider is unavailable.
func (s *Session) TokenFor(ctx context.Context, minTTL time.Duration) (provider.Token, error) {
	return s.inTurn(ctx, func() (provider.Token, error) { return s.issue(ctx, cache.Need{MinTTL: minTTL}, false) })
}

// NewToken is TokenFor for a token other than the stored one: a new one, or one that
// another process was given meanwhile. It is of the profile's own provider.
func (s *Session) NewToken(ctx context.Context, minTTL time.Duration) (provider.Token, error) {
	return s.inTurn(ctx, func() (provider.Token, error) { return s.issueNew(ctx, minTTL) })
}

// Renew returns another token than refused, which a server turned down: a new one
// of the same provider, or the current one if that is another already. After a new one
// that was refused as well it is ErrUnavailable for a while, see [breaker.Backoff]: with
// each request another token would be issued otherwise.
func (s *Session) Renew(ctx context.Context, refused provider.Token) (provider.Token, error) {
	return s.inTurn(ctx, func() (provider.Token, error) { return s.issueAgain(ctx, refused) })
}

// FallBack returns a token of the next provider in Config.Fallback, after the
// database refused a token and, if one could be had, the one that Renew returned in
// its place. It allows no more than the token of the profile's own provider did.
//
// It is for refusals alone. A sign-in that was rejected or never made is no reason:
// who was signed out would be promoted by it.
func (s *Session) FallBack(ctx context.Context, refused provider.Token) (provider.Token, error) {
	return s.inTurn(ctx, func() (provider.Token, error) { return s.issueFallback(ctx, refused) })
}

// Accepted is called after the database took a token. After a trial the
// profile's own provider issues the tokens again.
func (s *Session) Accepted(ctx context.Context, token provider.Token) {
	s.endBackOff(ctx, token)
	if !s.isTrial(token) {
		return
	}
	_, _ = s.inTurn(ctx, func() (provider.Token, error) { return token, s.endTrial(ctx, token) })
}

// Issuer returns the provider that issued the token which was handed out last, the profile's
// or one of its fallbacks; "" before the first.
func (s *Session) Issuer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.by.Provider
}

// MakeRenewal makes the renewal that another process requested, which then finds the
// token in the store. The session has to be of the same profile and configuration. issued,
// if not nil, is called when a token was issued and checked, and is about to be stored: no
// provider is called after that.
func (s *Session) MakeRenewal(ctx context.Context, r cache.Renewal, issued func()) error {
	c := s.config
	c.Provider, c.DefaultProvider, c.TokenProvider = r.Provider, r.DefaultProvider, r.TokenProvider
	c.Target, c.OwnTarget = r.Target, r.OwnTarget
	if !r.By.Fallback {
		c.Access, c.Permissions = r.By.Rights.Access, r.By.Rights.Permissions
	}
	requested := New(c)
	requested.issued = issued
	defer requested.cancel()
	_, err := requested.renewHere(ctx, r.By, r.Need)
	return err
}

// inTurn calls fn when no other goroutine of the session issues.
func (s *Session) inTurn(ctx context.Context, fn func() (provider.Token, error)) (provider.Token, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return provider.Token{}, ctx.Err()
	}
	defer func() { <-s.turn }()
	return fn()
}

// Close ends the renewal that is under way, if any, and waits for that, at most
// until ctx ends. A Session that was closed still hands out tokens, but renews none
// ahead of time.
func (s *Session) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	done := make(chan struct{})
	go func() { defer close(done); s.background.Wait() }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempts are the tries to get a token. Their last failure to reach the issuer is
// shared by queued callers: one after the other, each would wait for the same time-outs,
// and ask an issuer that is down once more.
type attempts struct {
	begun   int   // so far
	failed  int   // the last one that couldn't reach the issuer
	failure error // its error
}

func (s *Session) begun() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts.begun
}

// attempt calls fn, unless an attempt that began after the one with the number before
// couldn't reach the issuer. The caller has the turn.
func (s *Session) attempt(ctx context.Context, before int, fn func() (provider.Token, error)) (provider.Token, error) {
	s.mu.Lock()
	if s.attempts.failed > before {
		defer s.mu.Unlock()
		return provider.Token{}, s.attempts.failure
	}
	s.attempts.begun++
	number := s.attempts.begun
	s.mu.Unlock()
	token, err := fn()
	if provider.Kind(err) == provider.ErrUnavailable && ctx.Err() == nil { // it is not this caller's hurry
		s.mu.Lock()
		s.attempts.failed, s.attempts.failure = number, err
		s.mu.Unlock()
	}
	return token, err
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
