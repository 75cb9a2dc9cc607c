// Package session turns a stored credential into a token that is good now: it
// reads, checks, and, under the profile's lock, has a provider make a new one.
//
// A good cached token costs no process and no network: it is read from the store,
// its signature is checked against the key set on disk, and it is handed out.
package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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

// Config is what a session needs. All fields but Provider, TokenProvider,
// Permissions and Now are required.
type Config struct {
	// Profile names the record in the store.
	Profile string
	// Provider signs in; "" is the one that the last login chose.
	Provider string
	// TokenProvider makes the tokens; "" is Provider.
	TokenProvider string
	Target        provider.Target
	Access        provider.Access
	Permissions   []provider.Permission
	// SettingsHash changes whenever a setting of the named provider does;
	// envNames are further variables that count.
	SettingsHash func(name string, envNames []string) string

	Store     *store.Store
	Providers Providers
	Verifier  Verifier
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Session is a credential made usable. It is safe for concurrent use and holds
// nothing that would have to be closed.
type Session struct{ Config }

// New returns a session.
func New(config Config) *Session {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Access == "" {
		config.Access = provider.AccessReadWrite
	}
	return &Session{config}
}

// Token returns a token that is good now and stays so for minTTL at least. A zero
// minTTL means the usual margin.
func (s *Session) Token(ctx context.Context, minTTL time.Duration) (provider.Token, error) {
	record, err := s.Store.Load(s.Profile)
	if err != nil {
		return provider.Token{}, err
	}
	if token, err := s.cached(ctx, record, minTTL); err == nil {
		return token, nil
	}
	return s.renew(ctx, provider.Token{}, minTTL)
}

// Renew returns another token than refused, which a server turned down.
func (s *Session) Renew(ctx context.Context, refused provider.Token) (provider.Token, error) {
	return s.renew(ctx, refused, 0)
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
	return claims, claims.Authorizes(s.Target, s.Access)
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
	return token, err
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
		claims := l.Accounts[identity].Claims
		req.Claims = &claims
	}
	resp, err := source.Token(ctx, req)
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

// keep caches a token and drops those that have ended.
func (s *Session) keep(record *store.Record, token provider.Token) {
	for key, old := range record.Tokens {
		if !good(old, s.Now(), time.Nanosecond) {
			delete(record.Tokens, key)
		}
	}
	record.Tokens[s.key(*record)] = token
}

// names returns the provider that signs in and the one that makes tokens.
func (s *Session) names(record store.Record) (identity, minter string) {
	identity = s.Provider
	if identity == "" {
		identity = record.Provider
	}
	minter = s.TokenProvider
	if minter == "" {
		minter = identity
	}
	return identity, minter
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
func (s *Session) key(record store.Record) string {
	identity, minter := s.names(record)
	parts, err := json.Marshal([]any{
		s.Target, s.Access, s.Permissions,
		s.SettingsHash(identity, record.Accounts[identity].EnvNames),
		s.SettingsHash(minter, record.Accounts[minter].EnvNames),
	})
	if err != nil {
		panic("session: strings always encode: " + err.Error())
	}
	sum := sha256.Sum256(parts)
	return strings.Join([]string{identity, minter, hex.EncodeToString(sum[:16])}, "/")
}
