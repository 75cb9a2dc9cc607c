package jwks_test

import (
	"testing"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

func TestCheckClock(t *testing.T) {
	date := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		skew     time.Duration
		severity provider.Severity
		text     string
	}{
		"less than a second apart":       {400 * time.Millisecond, provider.SeverityOK, "this machine's clock is within 10s of Clerk's"},
		"exactly the allowed difference": {-jwks.Skew, provider.SeverityOK, "this machine's clock is within 10s of Clerk's"},
		"ahead":                          {11 * time.Second, provider.SeverityError, "this machine's clock is 11s ahead of Clerk's: tokens look expired or not yet valid"},
		"an hour behind":                 {-time.Hour, provider.SeverityError, "this machine's clock is 1h0m0s behind Clerk's: tokens look expired or not yet valid"},
	} {
		got := jwks.CheckClock("Clerk", date, date.Add(tc.skew))
		if got.ID != "clock" || got.Severity != tc.severity || got.Text != tc.text {
			t.Errorf("%s: CheckClock = %+v, want %v %q", name, got, tc.severity, tc.text)
		}
	}
}
