package jwks

import (
	"context"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/provider"
)

// Verifier checks tokens against the keys of one Set and one Policy. It is safe
// for concurrent use.
type Verifier struct {
	set    *Set
	policy Policy
}

// NewVerifier refuses a policy without an issuer, or with an algorithm that is not
// of Algorithms.
func NewVerifier(set *Set, policy Policy) (*Verifier, error) {
	if err := policy.validate(); err != nil {
		return nil, err
	}
	return &Verifier{set: set, policy: policy}, nil
}

// Verify returns the claims of a good token. The error is ErrTokenExpired,
// ErrTokenInvalid, or, where the keys can't be had, ErrUnavailable.
//
// It makes no network call when the token's key is held.
func (v *Verifier) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	t, err := parse(token)
	if err != nil {
		return provider.Claims{}, err
	}
	if err := v.policy.checkHead(t); err != nil {
		return provider.Claims{}, err
	}
	if err := checkTime(t, v.set.now()); err != nil {
		return provider.Claims{}, err
	}
	if err := v.checkSignature(ctx, t); err != nil {
		return provider.Claims{}, err
	}
	return t.claims, nil
}

func (v *Verifier) checkSignature(ctx context.Context, t *parsed) error {
	held, fresh, err := v.set.held(ctx)
	if err != nil {
		return fmt.Errorf("verify token (%s): %w", t, err)
	}
	verdict := t.check(held.keys)
	// Newer keys may be those of another process first, then the issuer's.
	for step := 0; verdict != nil && !fresh && step < 2; step++ {
		newer, err := v.set.renew(ctx, held)
		// A signature of another key under the same kid is what a rotation looks like,
		// too: while the issuer can't be asked, it is no proof of a forgery.
		if err != nil && (errors.Is(verdict, errUnknownKey) || !v.set.offline) {
			return fmt.Errorf("verify token (%s): %w", t, err)
		}
		if err != nil || newer == held {
			break
		}
		held = newer
		verdict = t.check(held.keys)
	}
	return v.explain(t, verdict, held)
}

var (
	errUnknownKey   = errors.New("unknown key")
	errBadSignature = errors.New("bad signature")
)

// check tries the keys that the token may mean. Several keys may share a kid; a
// token without kid may mean any.
func (p *parsed) check(keys []Key) error {
	verdict := errUnknownKey
	method := jwt.GetSigningMethod(p.claims.Algorithm)
	for _, key := range keys {
		if p.claims.KeyID != "" && key.ID != p.claims.KeyID {
			continue
		}
		if key.Algorithm != "" && key.Algorithm != p.claims.Algorithm || !fits(p.claims.Algorithm, key.Public) {
			continue
		}
		if method.Verify(p.signed, p.sig, key.Public) == nil {
			return nil
		}
		verdict = errBadSignature
	}
	return verdict
}

func (v *Verifier) explain(t *parsed, verdict error, held *snapshot) error {
	switch {
	case verdict == nil:
		return nil
	case errors.Is(verdict, errUnknownKey):
		return t.invalid("none of the %d keys at %s is of that kid and algorithm", len(held.keys), v.set.url)
	default:
		return t.invalid("the key of that kid at %s did not make its signature", v.set.url)
	}
}
