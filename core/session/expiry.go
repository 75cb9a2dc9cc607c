package session

import (
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// margin is how long before its end a token of this life is renewed: a minute, or
// a fifth of the life where that is less, because Clerk's default token lives for
// one minute altogether.
func margin(life time.Duration) time.Duration {
	return min(time.Minute, life/5)
}

// good reports whether a token can still be handed out. It compares wall clocks
// (Round strips the monotonic reading), which go on while a machine sleeps.
func good(token provider.Token, now time.Time, minTTL time.Duration) bool {
	if token.Expires.IsZero() {
		return true
	}
	left := token.Expires.Round(0).Sub(now.Round(0))
	if minTTL > 0 {
		return left >= minTTL
	}
	return left > margin(token.Expires.Sub(token.Issued))
}
