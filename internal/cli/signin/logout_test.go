package signin

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
)

// An interrupt doesn't stop the sign-out: the credentials are forgotten, and what wasn't
// revoked is reported in addition. Failures with the same reason are reported once.
func TestSignOutIsReportedWhenInterrupted(t *testing.T) {
	down := &provider.Error{Kind: provider.ErrUnavailable, Message: "no answer"}
	results := []session.SignedOut{
		{Provider: "clerk", NotRevoked: down}, {Provider: "auth0", NotRevoked: down},
		{Provider: "acme", NotRevoked: errors.New("odd")}, {Provider: "apikey"},
	}
	const want = "clerk, auth0: forgotten here, but not revoked at the issuer: no answer; acme: forgotten here, but not revoked at the issuer: odd"
	for _, interrupted := range []bool{false, true} {
		var told strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if interrupted {
			cancel()
		}
		err := reportSignedOut(ctx, &app.Env{Out: io.Discard, Err: &told}, "default", results)
		if err == nil || err.Error() != want || !errors.Is(err, provider.ErrUnavailable) {
			t.Errorf("reportSignedOut() = %v, want %s", err, want)
		}
		if strings.Contains(told.String(), want) != interrupted || !strings.Contains(told.String(), "Signed out of apikey: revoked") {
			t.Errorf("interrupted %t: printed %q", interrupted, told.String())
		}
	}
}
