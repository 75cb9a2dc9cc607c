// Package session turns a stored credential into a token that is good now: it
// reads, checks, and, under the profile's lock, has a provider make a new one.
//
// A good cached token costs no process and no network: it is read from the store,
// its signature is checked against the key set on disk, and it is handed out.
package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/store"
)

// Providers starts provider processes when they are needed.
type Providers interface {
	// Describe returns a provider's description, without settings.
	Describe(ctx context.Context, name string) (provider.Description, error)
	// Identity and TokenSource return a configured provider's service.
	Identity(ctx context.Context, name string) (provider.Identity, error)
	TokenSource(ctx context.Context, name string) (provider.TokenSource, error)
}

// Verifier checks tokens.
type Verifier interface {
	// Verify checks the token's signature as token.Verification says, where there
	// is one, and its times always. With offline, only keys on disk are used.
	Verify(ctx context.Context, token provider.Token, offline bool) (provider.Claims, error)
}

// Config is what a session needs. All fields but the names of providers, Access,
// Permissions, ConfigFile and Now are required.
type Config struct {
	// Profile names the record in the store.
	Profile string
	// Provider signs in; "" is the one that the last login chose, and before the
	// first one, DefaultProvider.
	Provider        string
	DefaultProvider string
	// TokenProvider makes the tokens; "" is the one that signs in.
	TokenProvider string
	Target        provider.Target
	Access        provider.Access
	Permissions   []provider.Permission
	// SettingsHash changes whenever a setting of the named provider does;
	// envNames are further variables that count.
	SettingsHash func(name string, envNames []string) string

	// ConfigFile is where the profile is configured, for hints.
	ConfigFile string

	Store     *store.Store
	Providers Providers
	Verifier  Verifier
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Session is a credential made usable. It is safe for concurrent use and holds
// nothing that would have to be closed.
type Session struct {
	Config

	mu sync.Mutex
	// last is the token that was handed out last, so that a program with many
	// requests reads and verifies each token once.
	last provider.Token
}

// New returns a session.
func New(config Config) *Session {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Access == "" {
		config.Access = provider.AccessReadWrite
	}
	return &Session{Config: config}
}

// Token returns a token that is good now: the one it returned last, a stored one,
// or a new one.
func (s *Session) Token(ctx context.Context) (provider.Token, error) {
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	if !last.Value.IsZero() && good(last, s.Now(), 0) {
		return last, nil
	}
	return s.TokenFor(ctx, 0)
}

// TokenFor is Token for at least minTTL from now on. Zero is the usual margin.
func (s *Session) TokenFor(ctx context.Context, minTTL time.Duration) (provider.Token, error) {
	record, err := s.Store.Load(s.Profile)
	if err != nil {
		return provider.Token{}, err
	}
	if token, err := s.cached(ctx, record, minTTL); err == nil {
		return s.remember(token), nil
	}
	return s.renew(ctx, provider.Token{}, minTTL)
}

// Renew returns another token than refused, which a server turned down.
func (s *Session) Renew(ctx context.Context, refused provider.Token) (provider.Token, error) {
	return s.renew(ctx, refused, 0)
}

func (s *Session) remember(token provider.Token) provider.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = token
	return token
}

var errNotCached = errors.New("no good token is cached")

// cached returns the token of the record that fits, if it is good.
func (s *Session) cached(ctx context.Context, record store.Record, minTTL time.Duration) (provider.Token, error) {
	token, ok := record.Tokens[s.key(record)]
	if !ok || !good(token, s.Now(), minTTL) {
		return provider.Token{}, errNotCached
	}
	if _, err := s.check(ctx, token, false); err != nil {
		return provider.Token{}, err
	}
	return token, nil
}

// check verifies a token and that it may go to the target.
func (s *Session) check(ctx context.Context, token provider.Token, offline bool) (provider.Claims, error) {
	if err := token.ValidateValue(); err != nil {
		return provider.Claims{}, err
	}
	claims, err := s.Verifier.Verify(ctx, token, offline)
	if err != nil {
		return provider.Claims{}, err
	}
	return claims, claims.Authorizes(s.Target, s.Access, s.Permissions)
}

// renew makes a new token under the profile's lock, so that however many
// processes want one, one of them asks for it and the others find it stored.
func (s *Session) renew(ctx context.Context, refused provider.Token, minTTL time.Duration) (provider.Token, error) {
	var token provider.Token
	err := s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		if cached, err := s.cached(ctx, l.Record, minTTL); err == nil && !cached.Value.Equal(refused.Value) {
			token = cached
			return nil
		}
		fresh, err := s.mint(ctx, l, minTTL)
		token = fresh
		return err
	})
	if err != nil {
		return provider.Token{}, err
	}
	return s.remember(token), nil
}

// mint asks the token provider. A replaced credential is stored before anything
// that came with it is used, also beside an error.
func (s *Session) mint(ctx context.Context, l *store.Locked, minTTL time.Duration) (provider.Token, error) {
	identity, minter := s.names(l.Record)
	if err := s.signedIn(l.Record, identity); err != nil {
		return provider.Token{}, err
	}
	source, err := s.Providers.TokenSource(ctx, minter)
	if err != nil {
		return provider.Token{}, err
	}
	req := provider.TokenRequest{Target: s.Target, Access: s.Access, Permissions: s.Permissions}
	if minTTL > 0 {
		// More than asked, or the token would be too short a moment later.
		req.Lifetime = minTTL + minTTL/4 + time.Minute
	}
	account, ok := l.Accounts[minter]
	if ok {
		credential := account.Credential
		req.Credential = &credential
	}
	if identity != minter {
		if err := s.stillSignedIn(ctx, l, identity); err != nil {
			return provider.Token{}, err
		}
		claims := l.Accounts[identity].Claims
		req.Claims = &claims
	}
	asking, done := finishing(ctx)
	resp, err := source.Token(asking, req)
	done()
	if resp.Credential != nil {
		account.Credential = *resp.Credential
		l.Accounts[minter] = account
		if saveErr := l.Save(); saveErr != nil {
			return provider.Token{}, errors.Join(saveErr, err)
		}
	}
	if err != nil {
		return provider.Token{}, err
	}
	if _, err := s.check(ctx, resp.Token, false); err != nil {
		return provider.Token{}, fmt.Errorf("check the token that %s made: %w", minter, err)
	}
	if ok {
		account.Refreshed = s.Now()
		l.Accounts[minter] = account
	}
	s.keep(&l.Record, resp.Token)
	if err := l.Save(); err != nil {
		return provider.Token{}, err
	}
	if minTTL > 0 && !good(resp.Token, s.Now(), minTTL) {
		return provider.Token{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("tokens of %s live %s, less than the %s asked for", minter, resp.Token.Expires.Sub(resp.Token.Issued), minTTL),
			Hint:    "ask for less, or lengthen the token's life at the issuer",
		}
	}
	return resp.Token, nil
}

// stillSignedIn asks the provider that signed in whether it would still, before
// another one makes a token in its name.
func (s *Session) stillSignedIn(ctx context.Context, l *store.Locked, name string) error {
	identity, err := s.Providers.Identity(ctx, name)
	if err != nil {
		return err
	}
	account := l.Accounts[name]
	asking, done := finishing(ctx)
	renewed, err := identity.Refresh(asking, account.Credential)
	done()
	if !renewed.Data.IsZero() && !renewed.Data.Equal(account.Credential.Data) {
		account.Credential = renewed
		l.Accounts[name] = account
		err = errors.Join(err, l.Save())
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
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

// keep caches a token and drops those that have ended.
func (c Config) keep(record *store.Record, token provider.Token) {
	for key, old := range record.Tokens {
		if !good(old, c.Now(), time.Nanosecond) {
			delete(record.Tokens, key)
		}
	}
	record.Tokens[c.key(*record)] = token
}

// names returns the provider that signs in and the one that makes tokens.
func (c Config) names(record store.Record) (identity, minter string) {
	identity = cmp.Or(c.Provider, record.Provider, c.DefaultProvider)
	return identity, cmp.Or(c.TokenProvider, identity)
}

func (s *Session) signedIn(record store.Record, identity string) error {
	hint := "zen login"
	if s.Profile != "default" {
		hint += " --profile " + s.Profile
	}
	if identity == "" {
		return &provider.Error{
			Kind:    provider.ErrNoCredential,
			Message: fmt.Sprintf("nobody is signed in to profile %q", s.Profile),
			Hint:    hint + " --provider NAME",
		}
	}
	if _, ok := record.Accounts[identity]; !ok {
		return &provider.Error{
			Kind:    provider.ErrNoCredential,
			Message: fmt.Sprintf("profile %q is not signed in with %s", s.Profile, identity),
			Hint:    hint + " --provider " + identity,
		}
	}
	return nil
}

// key names the cached token by everything that it depends on. It starts with
// the providers' names, so that a logout finds what is theirs.
func (c Config) key(record store.Record) string {
	identity, minter := c.names(record)
	parts, err := json.Marshal([]any{
		c.Target, c.Access, c.Permissions,
		c.SettingsHash(identity, record.Accounts[identity].EnvNames),
		c.SettingsHash(minter, record.Accounts[minter].EnvNames),
	})
	if err != nil {
		panic("session: strings always encode: " + err.Error())
	}
	sum := sha256.Sum256(parts)
	return strings.Join([]string{identity, minter, hex.EncodeToString(sum[:16])}, "/")
}
