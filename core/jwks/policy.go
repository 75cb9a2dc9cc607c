package jwks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Skew is the difference that is tolerated between the clocks of an issuer and of this machine.
// Clerk's own default is 5 s and gives spurious "not yet valid" errors.
const Skew = 10 * time.Second

// Policy says which tokens a Verifier takes, beside those of its Source's keys.
type Policy struct {
	// Issuer is the exact iss claim. Required.
	Issuer string
	// Algorithms are the accepted ones, of Algorithms(). Required.
	Algorithms []string
	// Types are the accepted typ headers, in any case and with or without
	// "application/" (RFC 7515 section 4.1.9). A token without typ passes. Nil
	// accepts every type.
	Types []string
	// Categories are the accepted values of Clerk's cat header. A token without cat
	// passes. Nil accepts every category.
	Categories []string
	// AllowIDToken accepts OpenID Connect ID tokens, which say who signed in and
	// are for the application that asked: never for a database.
	AllowIDToken bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// FromVerification returns the policy of a token whose provider is not at hand: what a
// provider said about it when it was minted.
func FromVerification(v provider.Verification) (Policy, error) {
	policy := Policy{Issuer: v.Issuer, Algorithms: v.Algorithms}
	return policy, policy.validate()
}

func (p Policy) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

func (p Policy) validate() error {
	if p.Issuer == "" {
		return errors.New("token policy: no issuer")
	}
	if len(p.Algorithms) == 0 {
		return errors.New("token policy: no algorithms")
	}
	for _, alg := range p.Algorithms {
		if !slices.Contains(Algorithms(), alg) {
			return fmt.Errorf("token policy: algorithm %q is not one of %s", alg, strings.Join(Algorithms(), ", "))
		}
	}
	return nil
}

// checkHead refuses what needs no key to be refused, and so costs no fetch.
func (p Policy) checkHead(t *parsed) error {
	switch {
	case !slices.Contains(p.Algorithms, t.claims.Algorithm):
		return t.invalid("algorithm is not %s", strings.Join(p.Algorithms, " or "))
	case t.critical:
		return t.invalid("it has a crit header, and no extension is known here")
	case t.claims.Issuer != p.Issuer:
		return t.invalid("issuer is not %q", p.Issuer)
	case p.Types != nil && !typeIn(t.claims.Type, p.Types):
		return t.invalid("typ %.40q is not %s", t.claims.Type, strings.Join(p.Types, " or "))
	case p.Categories != nil && t.claims.Category != "" && !slices.Contains(p.Categories, t.claims.Category):
		return t.invalid("category %.40q is not %s", t.claims.Category, strings.Join(p.Categories, " or "))
	case t.claims.IDToken && !p.AllowIDToken:
		return t.invalid("it is an OpenID Connect ID token, not an access token")
	case t.claims.Expires.IsZero():
		return t.invalid("it has no exp claim")
	}
	return nil
}

func typeIn(typ string, accepted []string) bool {
	if typ == "" {
		return true
	}
	return slices.ContainsFunc(accepted, func(a string) bool { return strings.EqualFold(shortType(typ), shortType(a)) })
}

func shortType(typ string) string {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		return typ[len(prefix):]
	}
	return typ
}

// checkTime holds the claims against the clock. Wall clocks are compared: a
// monotonic one stands still while the machine sleeps.
func checkTime(t *parsed, now time.Time) error {
	now = now.Round(0)
	c := t.claims
	switch {
	case !now.Before(c.Expires.Add(Skew)):
		return &provider.Error{
			Kind: provider.ErrTokenExpired,
			Message: fmt.Sprintf("verify token: expired at %s, %s ago (%s)",
				c.Expires.Format(time.RFC3339), now.Sub(c.Expires).Round(time.Second), t),
		}
	case c.NotBefore.After(now.Add(Skew)):
		return t.invalid("it is not valid before %s, %s from now: is the clock right?",
			c.NotBefore.Format(time.RFC3339), c.NotBefore.Sub(now).Round(time.Second))
	case c.Issued.After(now.Add(Skew)):
		return t.invalid("it was issued at %s, %s from now: is the clock right?",
			c.Issued.Format(time.RFC3339), c.Issued.Sub(now).Round(time.Second))
	}
	return nil
}

// ExplainClock adds to the refusal of a token that was issued a moment ago, because of
// its times, how far this machine's clock is from the issuer's: iat is what the issuer's
// clock showed. Other errors, and clocks that are as good as the same, are left as they are.
func ExplainClock(err error, issued, now time.Time, issuer string) error {
	ahead := now.Round(0).Sub(issued.Round(0))
	if issued.IsZero() || ahead.Abs() <= Skew || !errors.Is(err, provider.ErrTokenExpired) && !errors.Is(err, provider.ErrTokenInvalid) {
		return err
	}
	direction := "ahead of"
	if ahead < 0 {
		direction = "behind"
	}
	return &provider.Error{
		Kind: provider.Kind(err), Err: err, Hint: "set the clock",
		Message: fmt.Sprintf("this machine's clock is %s %s that of %s: %v", ahead.Abs().Round(time.Second), direction, issuer, err),
	}
}
