package session

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"os"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// margin is how long before its end a token of this life is renewed: a minute, or
// a fifth of the life where that is less, because Clerk's default token lives for
// one minute altogether.
func margin(life time.Duration) time.Duration {
	return min(time.Minute, life/5)
}

// late is how long before its end a token isn't handed out any more: the margin and
// up to a quarter more, by the jitter j.
func late(token provider.Token, j float64) time.Duration {
	m := margin(token.Expires.Sub(token.Issued))
	return m + time.Duration(j*float64(m)/4)
}

// early is how long before its end a token that is in use gets a successor in the
// background: up to a margin before it would have to be waited for.
func early(token provider.Token, j float64) time.Duration {
	m := margin(token.Expires.Sub(token.Issued))
	return late(token, j) + m/2 + time.Duration(j*float64(m)/2)
}

// jitter is the same for one token in one process, and differs between processes.
func jitter(token provider.Token) float64 {
	h := fnv.New64a()
	pid := os.Getpid()
	_, _ = h.Write([]byte{byte(pid), byte(pid >> 8), byte(pid >> 16), byte(pid >> 24)})
	_, _ = h.Write([]byte(token.Value.Reveal()))
	return float64(h.Sum64()>>11) / (1 << 53)
}

// maxSkew is how far in the future a stored token may have been issued. Of verified
// tokens the verification takes less.
const maxSkew = 2 * time.Minute

// need says which token is wanted.
type need struct {
	// minTTL is how long it has to live; zero is the margin.
	minTTL time.Duration
	// ahead wants one that is not yet due for renewal in the background.
	ahead bool
	// refused is the fingerprint of a token that it may not be.
	refused string
}

// fits reports whether a token can be handed out. It compares wall clocks (Round
// strips the monotonic reading), which go on while a machine sleeps.
func (s *Session) fits(token provider.Token, n need) bool {
	if token.Value.IsZero() || n.refused != "" && fingerprint(token) == n.refused {
		return false
	}
	now := s.Now().Round(0)
	if token.Issued.Round(0).After(now.Add(maxSkew)) {
		return false // the clock was set back: what is left of its life is not known
	}
	if token.Expires.IsZero() {
		return true
	}
	left := token.Expires.Round(0).Sub(now)
	switch j := s.Jitter(token); {
	case n.minTTL > 0:
		return left >= n.minTTL
	case n.ahead:
		return left > early(token, j)
	default:
		return left > late(token, j)
	}
}

// fingerprint tells tokens apart without giving them away.
func fingerprint(token provider.Token) string {
	sum := sha256.Sum256([]byte(token.Value.Reveal()))
	return hex.EncodeToString(sum[:])
}
