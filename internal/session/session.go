// Package session turns a stored credential into a token that is good now: it
// reads, checks, and, under the profile's lock, has a provider make a new one.
//
// A good cached token costs no process and no network: it is read from the store,
// its signature is checked against the key set on disk, and it is handed out. While
// a token is in use, its successor is made in the background.
//
// Where the tokens of the profile's provider don't reach the database, those of its
// fallback providers do, with no more rights, until the first one works again.
package session

import (
	"context"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/audit"
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
	// Need is what a provider needs of another one that signed in, with the audience
	// that its settings say; nil where that is nothing.
	Need(ctx context.Context, name string) (*provider.AssertionNeed, error)
}

// Verifier checks tokens.
type Verifier interface {
	// Verify checks the token's signature as token.Verification says, where there
	// is one, and its times always. With offline, only keys on disk are used.
	Verify(ctx context.Context, token provider.Token, offline bool) (provider.Claims, error)
}

// Config is what a session needs. Profile, SettingsHash, Store, Providers and
// Verifier are required.
type Config struct {
	// Profile names the record in the store.
	Profile string
	// Provider signs in; "" is the one that the last login chose, and before the
	// first one, DefaultProvider.
	Provider        string
	DefaultProvider string
	// TokenProvider makes the tokens; "" is the one that signs in.
	TokenProvider string
	// Fallback are the providers that make the tokens, in this order, while those
	// of the profile's own don't reach the database.
	Fallback []string
	Target   provider.Target
	// OwnTarget says that the user's configuration names Target.URL as this profile's
	// database. A token whose database can't be compared with Target.DatabaseID goes
	// there alone.
	OwnTarget bool
	// OtherURL returns where the user's configuration has the database of an id, if that
	// is not at url; if nil, it has none.
	OtherURL    func(databaseID, url string) string
	Access      provider.Access
	Permissions []provider.Permission
	// SettingsHash changes whenever a setting of the named provider does;
	// envNames are further variables that count.
	SettingsHash func(name string, envNames []string) string

	// ConfigFile is where the profile is configured, for hints.
	ConfigFile string

	Store     *store.Store
	Providers Providers
	Verifier  Verifier
	// Notify is told what somebody should know: that a fallback is in use, and that
	// it ended. Each call is one line without a prefix. Nil is nobody.
	Notify func(text string)
	// Audit is where it is written down; nil is nowhere.
	Audit *audit.Log
	// Elsewhere has another process make a renewal, one that goes on when this one is
	// killed, and returns when its token is in the store. Its error is
	// errors.ErrUnsupported where that can't be; nil is never.
	Elsewhere func(context.Context, Order) error
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Jitter is where in [0, 1) a token's renewal falls, so that the processes that
	// share it don't all renew at once. Nil is by process and token.
	Jitter func(provider.Token) float64
}

// Session is a credential made usable. It is safe for concurrent use. Close it: it
// owns the renewal that may be under way.
type Session struct {
	Config

	// turn is held by the one goroutine that reads the store, renews or falls back.
	// Those that wait for it find the result in hand.
	turn chan struct{}
	// base ends with Close.
	base   context.Context
	cancel context.CancelFunc
	// background counts the goroutines of the session.
	background sync.WaitGroup

	// mu guards what is below. It is held for moments only.
	mu   sync.Mutex
	hand hand
	// probe is the token with which one request tries the profile's own way, while
	// the others go on with the fallback's in hand.
	probe provider.Token
	// told is the fallback provider that was notified of.
	told     string
	outage   outage
	renewing bool
	closed   bool
}

// New returns a session.
func New(config Config) *Session {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Access == "" {
		config.Access = provider.AccessReadWrite
	}
	if config.Jitter == nil {
		config.Jitter = jitter
	}
	s := &Session{Config: config, turn: make(chan struct{}, 1)}
	s.base, s.cancel = context.WithCancel(context.Background())
	return s
}

// Token returns a token that is good now: the one in hand, a stored one, or a new
// one. It is the transport's: where the database is known to refuse the tokens of
// the profile's own provider, the token is a fallback's.
func (s *Session) Token(ctx context.Context) (provider.Token, error) {
	if token, ok := s.inHand(); ok {
		return token, nil
	}
	before := s.tries()
	return s.inTurn(ctx, func() (provider.Token, error) {
		if token, ok := s.inHand(); ok {
			return token, nil // of the one whose turn it was before
		}
		return s.attempt(ctx, before, func() (provider.Token, error) { return s.obtain(ctx, need{}, true) })
	})
}

// TokenFor returns a token that is good for at least minTTL from now on; zero is
// the usual margin. It is for those who use the token themselves, of whose refusal
// nothing would be known here: it is a fallback's only while the profile's own
// provider is unavailable.
func (s *Session) TokenFor(ctx context.Context, minTTL time.Duration) (provider.Token, error) {
	return s.inTurn(ctx, func() (provider.Token, error) { return s.obtain(ctx, need{minTTL: minTTL}, false) })
}

// inTurn calls fn when no other goroutine of the session is at it.
func (s *Session) inTurn(ctx context.Context, fn func() (provider.Token, error)) (provider.Token, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return provider.Token{}, ctx.Err()
	}
	defer func() { <-s.turn }()
	return fn()
}

// obtain returns a token that meets the need, and keeps it in hand. With refusals,
// a detour counts that was begun because the database refused the tokens of the
// own way. The caller has the turn.
func (s *Session) obtain(ctx context.Context, n need, refusals bool) (provider.Token, error) {
	record, err := s.Store.LoadContext(ctx, s.Profile)
	if err != nil {
		return provider.Token{}, err
	}
	own := s.own(record)
	d, detour := s.detour(record)
	if detour && (refusals || d.Unavailable) {
		return s.onDetour(ctx, own, d, n)
	}
	token, err := s.by(ctx, record, own, n)
	switch {
	case provider.Kind(err) == provider.ErrUnavailable && len(s.Fallback) > 0:
		return s.around(ctx, fall{unavailable: true, cause: err, need: n})
	case err != nil:
		return provider.Token{}, err
	case !detour: // or it isn't what this session's requests go on with
		s.take(token, own, time.Time{})
	}
	return token, nil
}

// by returns a token of a way, cached or new.
func (s *Session) by(ctx context.Context, record store.Record, w way, n need) (provider.Token, error) {
	if token, err := s.cached(ctx, record, w, n); err == nil {
		return token, nil
	}
	return s.renew(ctx, w, n)
}

// Renew returns another token than refused, which a server turned down: a new one
// of the same way, or the one that is in hand already.
func (s *Session) Renew(ctx context.Context, refused provider.Token) (provider.Token, error) {
	return s.inTurn(ctx, func() (provider.Token, error) {
		held := s.held()
		ofHeld := held.token.Value.Equal(refused.Value)
		if !ofHeld && held.good(s.Now()) && !s.isProbe(refused) {
			return held.token, nil // another request was refused before
		}
		record, err := s.Store.LoadContext(ctx, s.Profile)
		if err != nil {
			return provider.Token{}, err
		}
		w := s.own(record)
		if ofHeld && held.way.rank > 0 {
			w = held.way
		}
		s.audit(audit.Refused, s.as(record, w), refused, provider.ErrRejected)
		if s.isProbe(refused) {
			return s.probeRefused(ctx, refused)
		}
		token, err := s.renew(ctx, w, need{refused: fingerprint(refused)})
		if err != nil {
			return provider.Token{}, err
		}
		return s.take(token, w, held.probe), nil
	})
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
