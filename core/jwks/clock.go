package jwks

import (
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// CheckClock returns the finding "clock" of a provider's Check: whether this machine's clock,
// which says now, is within Skew of the issuer's. date is the Date of an answer of the
// issuer (RFC 9110, 6.6.1), which has whole seconds; issuer is its name in the text.
func CheckClock(issuer string, date, now time.Time) provider.Finding {
	skew := now.Sub(date).Round(time.Second)
	if skew.Abs() <= Skew {
		return provider.Passed("clock", "this machine's clock is within %s of %s's", Skew, issuer)
	}
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	return provider.Finding{
		ID: "clock", Severity: provider.SeverityError, Kind: provider.ErrConfig,
		Text: fmt.Sprintf("this machine's clock is %s %s %s's: tokens look expired or not yet valid", skew.Abs(), direction, issuer),
		Hint: "set the clock (timedatectl set-ntp true)",
	}
}
