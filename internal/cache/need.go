package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// margin returns how early before its end a token of this life is renewed: a minute, or
// a fifth of the life where that is less, because Clerk's default token lives for
// one minute altogether.
func margin(life time.Duration) time.Duration {
	return min(time.Minute, life/5)
}

// Late returns how early before its end a token is no longer handed out: the margin and
// up to a quarter more, by the jitter j.
func Late(token provider.Token, j float64) time.Duration {
	m := margin(token.Expires.Sub(token.Issued))
	return m + time.Duration(j*float64(m)/4)
}

// Early returns how early before its end a token that is in use gets a successor in the
// background: up to a margin before it would have to be waited for.
func Early(token provider.Token, j float64) time.Duration {
	m := margin(token.Expires.Sub(token.Issued))
	return Late(token, j) + m/2 + time.Duration(j*float64(m)/2)
}

// maxSkew limits how far in the future a stored token may have been issued. Of verified
// tokens the verification takes less.
const maxSkew = 2 * time.Minute

// LongLived reports whether a token lives as one does that a person was given, and that nothing
// renews: two weeks or more.
func LongLived(token provider.Token) bool {
	return token.Expires.Sub(token.Issued) >= 14*24*time.Hour
}

// Need says which token is wanted.
type Need struct {
	// MinTTL is the life that must be left; zero means the margin.
	MinTTL time.Duration
	// Ahead wants one that is not yet due for renewal in the background.
	Ahead bool
	// Refused is the fingerprint of a token that it may not be.
	Refused string
	// AfterRefusal says that the database refused it, so that one in its place counts in
	// the back-off.
	AfterRefusal bool
}

// Fits reports whether a token meets the need. It compares wall clocks (Round strips
// the monotonic reading), which go on while a machine sleeps.
func (n Need) Fits(token provider.Token, clock Clock) bool {
	if token.Value.IsZero() || n.Refused != "" && Fingerprint(token) == n.Refused {
		return false
	}
	now := clock.Now.Round(0)
	if token.Issued.Round(0).After(now.Add(maxSkew)) {
		return false // the clock was set back: what is left of its life is not known
	}
	if token.Expires.IsZero() {
		return true
	}
	left := token.Expires.Round(0).Sub(now)
	switch j := clock.Jitter(token); {
	case n.MinTTL > 0:
		return left >= n.MinTTL
	case n.Ahead:
		return left > Early(token, j)
	default:
		return left > Late(token, j)
	}
}

// Fingerprint distinguishes tokens without giving them away.
func Fingerprint(token provider.Token) string {
	sum := sha256.Sum256([]byte(token.Value.Reveal()))
	return hex.EncodeToString(sum[:])
}
