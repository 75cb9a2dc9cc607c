package jwks

import (
	"context"
	"errors"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
)

// Verifier checks tokens against the keys of one Source and one Policy. It is safe
// for concurrent use.
type Verifier struct {
	keys   Source
	policy Policy
	// unsigned leaves the signature out.
	unsigned bool
	// justIssued says that the tokens were made a moment ago.
	justIssued bool
}

// NewVerifier refuses a policy without an issuer, or with an algorithm that is not
// of Algorithms.
func NewVerifier(keys Source, policy Policy) (*Verifier, error) {
	if err := policy.validate(); err != nil {
		return nil, err
	}
	return &Verifier{keys: keys, policy: policy}, nil
}

// ExceptSignature returns a verifier that checks all but the signature, and uses no key.
// It is for a token that came from its issuer itself over TLS (OpenID Connect Core 1.0
// section 3.1.3.7, point 6), and for one that its receiver verifies, as zen does with
// each token that names its [provider.Verification]: an issuer whose key set can't be
// fetched goes on issuing tokens. A token from a browser, a file or a person is neither.
func (v *Verifier) ExceptSignature() *Verifier {
	e := *v
	e.unsigned = true
	return &e
}

// JustIssued returns a verifier of tokens that their issuer made for this very request.
// That one of these has ended, or is not valid yet, means that this machine's clock is
// wrong: the error says by how much.
func (v *Verifier) JustIssued() *Verifier {
	e := *v
	e.justIssued = true
	return &e
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
	if err := checkTime(t, v.policy.now()); err != nil {
		if v.justIssued {
			err = ExplainClock(err, t.claims.Issued, v.policy.now(), v.policy.Issuer)
		}
		return provider.Claims{}, err
	}
	if v.unsigned {
		return t.claims, nil
	}
	if err := v.checkSignature(ctx, t); err != nil {
		return provider.Claims{}, err
	}
	return t.claims, nil
}

func (v *Verifier) checkSignature(ctx context.Context, t *parsed) error {
	held, fresh, err := v.keys.Held(ctx)
	if err != nil {
		return fmt.Errorf("verify token (%s): %w", t, err)
	}
	verdict := t.check(held.Keys)
	// Newer keys may be those of another process first, then the issuer's.
	for step := 0; verdict != nil && !fresh && step < 2; step++ {
		newer, err := v.keys.Renew(ctx, held)
		// A signature of another key under the same kid is what a rotation looks like,
		// too: while the issuer can't be asked, it is no proof of a forgery.
		if err != nil && (errors.Is(verdict, errUnknownKey) || !errors.Is(err, errNoNetwork)) {
			return fmt.Errorf("verify token (%s): %w", t, err)
		}
		if err != nil || newer == held {
			break
		}
		held = newer
		verdict = t.check(held.Keys)
	}
	return explain(t, verdict, held)
}

var (
	errUnknownKey   = errors.New("unknown key")
	errBadSignature = errors.New("bad signature")
)

// check tries the keys that the token may mean. Several keys may share a kid; a
// token without kid may mean any.
func (p *parsed) check(keys []Key) error {
	verdict := errUnknownKey
	tries := 0
	for _, key := range keys {
		if p.claims.KeyID != "" && key.ID != p.claims.KeyID {
			continue
		}
		if !intended(key.Algorithm, p.claims.Algorithm) || !fits(p.claims.Algorithm, key.Public) {
			continue
		}
		if tries++; tries > maxTries {
			break
		}
		if signed(p.claims.Algorithm, p.signed, p.sig, key.Public) {
			return nil
		}
		verdict = errBadSignature
	}
	return verdict
}

func explain(t *parsed, verdict error, held *Set) error {
	switch {
	case verdict == nil:
		return nil
	case errors.Is(verdict, errUnknownKey):
		return t.invalid("none of the %d keys at %s is of that kid and algorithm", len(held.Keys), held.URL)
	default:
		return t.invalid("the key of that kid at %s did not make its signature", held.URL)
	}
}
