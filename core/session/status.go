package session

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/store"
)

// State is what can be said of a token without asking anybody.
type State string

// The states. StateNone is no token cached, which is no fault.
const (
	StateNone       State = "none"
	StateValid      State = "valid"
	StateInvalid    State = "invalid"
	StateUnverified State = "unverified"
)

// Status is what is known of a profile without network, process or keyring.
type Status struct {
	Profile       string
	Provider      string
	TokenProvider string
	// SignedIn is false where Account is empty.
	SignedIn bool
	Account  store.Account
	// Others are further providers with a stored sign-in.
	Others []string
	// File is where it is stored.
	File string

	State State
	// Reason says why the state is not valid; nil otherwise.
	Reason error
	// Token is the cached token, Claims what it says (verified or not, see State).
	Token  provider.Token
	Claims provider.Claims
}

// Status reads the store, and checks the cached token against the keys on disk.
func (s *Session) Status(ctx context.Context) (Status, error) {
	record, err := s.Store.Load(s.Profile)
	if err != nil {
		return Status{}, err
	}
	identity, minter := s.names(record)
	status := Status{
		Profile: s.Profile, Provider: identity, TokenProvider: minter,
		File: s.Store.Path(s.Profile), State: StateNone,
	}
	status.Account, status.SignedIn = record.Accounts[identity]
	for _, name := range slices.Sorted(maps.Keys(record.Accounts)) {
		if name != identity {
			status.Others = append(status.Others, name)
		}
	}
	token, ok := record.Tokens[s.key(record)]
	if !ok {
		return status, nil
	}
	status.Token = token
	status.Claims, status.Reason = s.check(ctx, token, true)
	switch {
	case status.Reason == nil && token.Verification == nil:
		status.State = StateUnverified
		status.Reason = errors.New("its issuer publishes no keys")
	case status.Reason == nil:
		status.State = StateValid
	case errors.Is(status.Reason, provider.ErrUnavailable):
		status.State = StateUnverified
	default:
		status.State = StateInvalid
	}
	return status, nil
}
