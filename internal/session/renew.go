package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

var errNotCached = errors.New("no good token is cached")

// cached returns the token of the record for this way, if it meets the need.
func (s *Session) cached(ctx context.Context, record store.Record, w way, n need) (provider.Token, error) {
	token, ok := record.Tokens[s.keyOf(record, w)]
	if !ok || !s.fits(token, n) {
		return provider.Token{}, errNotCached
	}
	token, claims, err := s.checkFor(ctx, token, w, false)
	if err != nil {
		return provider.Token{}, err
	}
	if !s.fits(token, n) {
		return provider.Token{}, errNotCached
	}
	return token, s.checkCachedPlace(claims)
}

// checkCachedPlace is checkPlace for a token of the store. Where the target's id isn't
// known, the token was confirmed before it was stored under this key.
func (s *Session) checkCachedPlace(claims provider.Claims) error {
	confirmed := ""
	if claims.Database != nil {
		confirmed = claims.Database.DatabaseID
	}
	return s.checkPlace(claims, confirmed)
}

// check verifies a token and that it may go to the target.
func (s *Session) check(ctx context.Context, token provider.Token, offline bool) (provider.Token, provider.Claims, error) {
	return s.checkFor(ctx, token, way{access: s.Access, permissions: s.Permissions}, offline)
}

// checkFor returns the token with its own end, where that is the earlier one.
func (s *Session) checkFor(ctx context.Context, token provider.Token, w way, offline bool) (provider.Token, provider.Claims, error) {
	if err := token.ValidateValue(); err != nil {
		return provider.Token{}, provider.Claims{}, err
	}
	claims, err := s.Verifier.Verify(ctx, token, offline)
	token = ending(token, claims.Expires)
	if err != nil {
		return token, claims, err
	}
	return token, claims, claims.Authorizes(s.Target, w.access, w.permissions)
}

// renewHere makes a new token under the profile's lock, so that however many
// processes want one, one of them asks for it and the others find it stored.
func (s *Session) renewHere(ctx context.Context, w way, n need) (provider.Token, error) {
	var token provider.Token
	err := s.Store.Lock(ctx, s.Profile, func(l *store.Locked) error {
		if w.rank == 0 {
			w = s.own(l.Record) // a login may have been in between
		}
		var err error
		if token, err = s.cached(ctx, l.Record, w, n); err == nil {
			return nil
		}
		token, err = s.mint(ctx, l, w, n)
		return err
	})
	if err != nil {
		return provider.Token{}, err
	}
	return token, nil
}

// LoginCommand is what to run to sign in to the profile, for hints.
func (c Config) LoginCommand() string {
	if c.Profile == "default" {
		return "zen login"
	}
	return "zen login --profile " + c.Profile
}

func (s *Session) signedIn(record store.Record, identity string) error {
	hint := s.LoginCommand()
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
