package session

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/provider"
)

// verifier checks tokens against the key sets on disk, fetching what is missing.
type verifier struct {
	cacheDir string
	client   *http.Client
	now      func() time.Time
}

// Verify implements session.Verifier. A token whose issuer publishes no keys
// (Turso, for those it mints) rests on the privacy of the file that it is in.
func (v verifier) Verify(ctx context.Context, token provider.Token, offline bool) (provider.Claims, error) {
	if token.Verification == nil {
		claims, err := jwks.DecodeUnverified(token.Value)
		if end := ending(token, claims.Expires).Expires; err == nil && !end.IsZero() && !v.now().Before(end) {
			err = fmt.Errorf("%w at %s", provider.ErrTokenExpired, end.UTC().Format(time.RFC3339))
		}
		return claims, err
	}
	policy, err := jwks.FromVerification(*token.Verification)
	if err != nil {
		return provider.Claims{}, err
	}
	policy.Now = v.now
	var keys jwks.Source = jwks.Disk{Dir: v.cacheDir, URL: token.Verification.KeySetURL}
	if !offline {
		keys, err = keyset.New(token.Verification.KeySetURL, keyset.Options{CacheDir: v.cacheDir, Client: v.client, Now: v.now})
		if err != nil {
			return provider.Claims{}, err
		}
	}
	check, err := jwks.NewVerifier(keys, policy)
	if err != nil {
		return provider.Claims{}, err
	}
	return check.Verify(ctx, token.Value)
}
