package session

import (
	"context"
	"errors"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// Order is a renewal that another process is to make: one that goes on when this
// one is killed. An issuer that has replaced a credential doesn't do it again, and
// what was only in the memory of a killed process is lost.
//
// It has no secret in it.
type Order struct {
	Profile                                  string
	Provider, DefaultProvider, TokenProvider string
	Target                                   provider.Target
	OwnTarget                                bool
	// Of the way to the token.
	Identity, Minter string
	Rank             int
	Access           provider.Access
	Permissions      []provider.Permission
	EnvNames         []string
	// Of what is needed.
	MinTTL  time.Duration
	Ahead   bool
	Refused string
}

func (s *Session) order(w way, n need) Order {
	return Order{
		Profile: s.Profile, Provider: s.Provider, DefaultProvider: s.DefaultProvider, TokenProvider: s.TokenProvider, Target: s.Target, OwnTarget: s.OwnTarget,
		Identity: w.identity, Minter: w.minter, Rank: w.rank, Access: w.access, Permissions: w.permissions, EnvNames: w.envNames,
		MinTTL: n.minTTL, Ahead: n.ahead, Refused: n.refused,
	}
}

// Carry makes the renewal that another process ordered, whose token that finds in
// the store then. The session has to be of the same profile and configuration.
func (s *Session) Carry(ctx context.Context, o Order) error {
	s.Provider, s.DefaultProvider, s.TokenProvider, s.Target, s.OwnTarget = o.Provider, o.DefaultProvider, o.TokenProvider, o.Target, o.OwnTarget
	w := way{identity: o.Identity, minter: o.Minter, rank: o.Rank, access: o.Access, permissions: o.Permissions, envNames: o.EnvNames}
	if w.rank == 0 {
		s.Access, s.Permissions = o.Access, o.Permissions
	}
	_, err := s.renewHere(ctx, w, need{minTTL: o.MinTTL, ahead: o.Ahead, refused: o.Refused})
	return err
}

// renew makes a new token of a way, unless another process was first. Where a
// credential is at stake and there is another process for it, that one does it.
func (s *Session) renew(ctx context.Context, w way, n need) (provider.Token, error) {
	if s.Elsewhere == nil || !s.atStake(ctx, w) {
		if w.rank > 0 { // as in try: a program that becomes another one takes no lock along
			if _, err := s.Providers.Describe(ctx, w.minter); err != nil {
				return provider.Token{}, err
			}
		}
		return s.renewHere(ctx, w, n)
	}
	err := s.Elsewhere(ctx, s.order(w, n))
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, provider.ErrNoProvider) {
		return s.renewHere(ctx, w, n) // where somebody can be asked whether a provider may run
	}
	if err != nil {
		return provider.Token{}, err
	}
	record, err := s.Store.LoadContext(ctx, s.Profile)
	if err != nil {
		return provider.Token{}, err
	}
	if w.rank == 0 {
		w = s.own(record)
	}
	if err := s.signedIn(record, w.identity); w.rank == 0 && err != nil {
		return provider.Token{}, err // since a moment ago
	}
	// As short as it may live: it is what the issuer makes.
	token, claims, err := s.checkFor(ctx, record.Tokens[s.keyOf(record, w)], w, false)
	if err != nil {
		return token, err
	}
	return token, s.checkCachedPlace(claims)
}

// atStake reports whether a provider of the way has a stored credential, which a
// renewal may replace.
func (s *Session) atStake(ctx context.Context, w way) bool {
	record, err := s.Store.LoadContext(ctx, s.Profile)
	// What is in this process's memory alone, no other one could renew.
	return err == nil && !s.Store.Ephemeral() && (has(record, w.minter) || has(record, w.identity))
}

func has(record store.Record, name string) bool {
	account, ok := record.Accounts[name]
	return ok && !account.Credential.Data.IsZero()
}
