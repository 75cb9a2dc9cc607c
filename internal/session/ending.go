package session

import (
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/store"
)

const (
	// longLived is the life of a token that nothing renews: one that somebody was given.
	longLived = 14 * 24 * time.Hour
	// endingSoon is when its end is told beforehand.
	endingSoon = 7 * 24 * time.Hour
)

// tellEnd says once that a token ends soon which ends with its sign-in, so that no other
// will take its place. The caller has the turn.
func (s *Session) tellEnd(record store.Record, by cache.Issuer, token provider.Token) {
	signIn := record.Accounts[by.Provider].Credential.Expires
	left := token.Expires.Round(0).Sub(s.config.Now().Round(0))
	if s.endTold || token.Expires.IsZero() || signIn.After(token.Expires) || signIn.IsZero() ||
		token.Expires.Sub(token.Issued) < longLived || left > endingSoon || left <= 0 {
		return
	}
	s.endTold = true
	s.config.notify(fmt.Sprintf("the token of %s ends in %s, on %s, and can't be renewed", by.Provider, days(left), token.Expires.UTC().Format("2006-01-02 15:04 MST")))
}

// days rounds a duration down to what a person plans with.
func days(d time.Duration) string {
	switch n := int(d / (24 * time.Hour)); {
	case n > 1:
		return fmt.Sprintf("%d days", n)
	case d >= 24*time.Hour:
		return "a day"
	}
	return "less than a day"
}
