package session

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
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
	// Storage is how it is stored, or would be by a store that writes nothing; "" is
	// not at all. Reason says why it is a plain file although nobody asked for one.
	Storage       store.Storage
	StorageReason string
	// File is where it is stored; "" for StorageNone.
	File string
	// Detour is the way that the database is reached by instead, where a fallback
	// provider makes the tokens for it; nil otherwise.
	Detour *store.Detour
	// Doubt says why all this may be older than what is stored; nil otherwise.
	Doubt error

	State State
	// Reason says why the state is not valid; nil otherwise.
	Reason error
	// Token is the cached token, Claims what it says (verified or not, see State).
	Token  provider.Token
	Claims provider.Claims
}

// errNoKeys is why no token of its issuer can be verified.
var errNoKeys = errors.New("its issuer publishes no keys")

// Status reads the store, and checks the cached token against the keys on disk. It
// opens no seal: of a sealed token it says what was written down when it was verified.
func (s *Session) Status(ctx context.Context) (Status, error) {
	meta, err := s.Store.Meta(s.Profile)
	if err != nil {
		return Status{}, err
	}
	record := meta.Record()
	identity, minter := s.names(record)
	status := Status{
		Profile: s.Profile, Provider: identity, TokenProvider: minter,
		Storage: meta.Storage, StorageReason: meta.Reason, Doubt: meta.Doubt,
		File: s.Store.Path(s.Profile), State: StateNone,
	}
	status.Account, status.SignedIn = record.Accounts[identity]
	for _, name := range slices.Sorted(maps.Keys(record.Accounts)) {
		if name != identity {
			status.Others = append(status.Others, name)
		}
	}
	if d, ok := s.detour(record); ok {
		status.Detour = &d
	}
	token, ok := meta.Tokens[s.key(record)]
	if !ok {
		return status, nil
	}
	status.Token = provider.Token{Issued: token.Issued, Expires: token.Expires, Verification: token.Verification}
	if meta.Storage != store.StorageKeyring {
		return status, s.checkPlain(ctx, &status)
	}
	status.Claims.KeyID = token.KeyID
	if token.Verification != nil {
		status.Claims.Issuer = token.Verification.Issuer
	}
	status.State, status.Reason = s.checkSealed(ctx, token, meta.Doubt)
	return status, nil
}

// checkPlain verifies the cached token itself, which is there to be read.
func (s *Session) checkPlain(ctx context.Context, status *Status) error {
	record, err := s.Store.LoadContext(ctx, s.Profile)
	if err != nil {
		return err
	}
	token, ok := record.Tokens[s.key(record)]
	if !ok { // another process forgot it just now
		status.Token = provider.Token{}
		return nil
	}
	status.Token, status.Claims, status.Reason = s.check(ctx, token, true)
	switch {
	case status.Reason == nil && token.Verification == nil:
		status.State, status.Reason = StateUnverified, errNoKeys
	case status.Reason == nil:
		status.State = StateValid
	case errors.Is(status.Reason, provider.ErrUnavailable):
		status.State = StateUnverified
	default:
		status.State = StateInvalid
	}
	return nil
}
