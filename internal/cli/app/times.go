package app

import (
	"fmt"
	"time"

	"github.com/zen-auth/zen/internal/tokenform"
)

// Instant is null in JSON for a time that is not known.
func Instant(t time.Time) *time.Time { return tokenform.Instant(t) }

// Local returns a time for people; "" if it is nil.
func Local(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}

// UntilText returns a time and how far away it is.
func UntilText(t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	left := t.Sub(now).Round(time.Second)
	if left < 0 {
		return fmt.Sprintf("%s (%s ago)", Local(t), -left)
	}
	return fmt.Sprintf("%s (in %s)", Local(t), left)
}
