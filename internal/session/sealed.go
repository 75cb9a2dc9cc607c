package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/store"
)

// keyHolder is what a Verifier can do beside: say whether the key set on disk still
// has the key that a token was verified with.
type keyHolder interface {
	// HoldsKey is nil where it has, ErrTokenInvalid where it has others only, and
	// ErrUnavailable where there is no key set.
	HoldsKey(ctx context.Context, v provider.Verification, keyID string) error
}

// checkSealed says what can be said of a token without opening the seal: it was
// verified when it was stored; its times, and that its issuer still has the key, can
// be checked now.
func (s *Session) checkSealed(ctx context.Context, token store.TokenMeta, doubt error) (State, error) {
	now := s.Now()
	switch {
	case doubt != nil:
		return StateUnverified, fmt.Errorf("%w; zen token checks it", doubt)
	case !token.Expires.IsZero() && !now.Before(token.Expires):
		return StateInvalid, fmt.Errorf("%w at %s", provider.ErrTokenExpired, token.Expires.UTC().Format(time.RFC3339))
	case token.Verification == nil:
		return StateUnverified, errNoKeys
	case token.Verified.IsZero() || token.KeyID == "":
		return StateUnverified, errors.New("nothing was written down about its signature; zen token checks it")
	}
	holder, ok := s.Verifier.(keyHolder)
	if !ok {
		return StateUnverified, errors.New("its signature was not looked at")
	}
	err := holder.HoldsKey(ctx, *token.Verification, token.KeyID)
	switch {
	case err == nil:
		return StateValid, nil
	case errors.Is(err, provider.ErrUnavailable):
		return StateUnverified, err
	}
	return StateInvalid, err
}

// HoldsKey implements keyHolder. It uses no network.
func (v verifier) HoldsKey(ctx context.Context, how provider.Verification, keyID string) error {
	set, err := jwks.Disk{Dir: v.cacheDir, URL: how.KeySetURL}.Load()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(set.Keys, func(k jwks.Key) bool { return k.ID == keyID }) {
		return nil
	}
	return fmt.Errorf("%w: the key that signed it (kid %.80q) is not in the key set of %s any more", provider.ErrTokenInvalid, keyID, how.Issuer)
}

// Interface guards
var _ keyHolder = verifier{}
