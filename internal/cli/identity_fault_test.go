//go:build !windows

package cli

import (
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/oidc"
	"github.com/zen-auth/zen/internal/cli/app"
)

// A sign-in reports a fault of the issuer: the exit code is that of its kind, the text names
// the cause, and nothing is stored.
func TestIdentityFaults(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs long; make test-all runs it")
	}
	const (
		browser  = "--provider auth0"
		machine  = "--provider auth0 --method client-credentials"
		device   = "--provider auth0 --method device"
		openid   = "--provider oidc"
		workload = "--provider oidc --method workload"
	)
	term, stack := newStackUser(t, devstack.Options{CI: "github"})
	term.environ = append(term.environ, "BROWSER=zen dev browse --user alice", "ZEN_TOKEN_PROVIDER=")
	for _, tt := range []struct {
		fault, login string
		code         int
		want         string
	}{
		{auth0.FaultRateLimited, browser, app.ExitUnavailable, "too_many_requests"},
		{auth0.FaultJWKSUnavailable, browser, app.ExitUnavailable, "503"},
		{auth0.FaultKeyUnpublished, browser, app.ExitSignIn, "none of the 1 keys"},
		{auth0.FaultActionMissing, browser, app.ExitPermission, "trigger post-login"},
		{auth0.FaultOpaqueToken, browser, app.ExitUsage, "opaque"},
		{auth0.FaultWrongIssuer, browser, app.ExitSignIn, "issuer is not"},
		{auth0.FaultNoRefreshToken, browser, app.ExitUsage, "Allow Offline Access"},
		{auth0.FaultAnswerLost, browser, app.ExitUnavailable, "EOF"},
		{auth0.FaultClockAhead, browser, app.ExitSignIn, "is the clock right?"},
		{auth0.FaultWrongAudience, browser, app.ExitSignIn, "not for the API"},
		{auth0.FaultOtherDialect, browser, app.ExitUsage, "at+jwt"},
		{auth0.FaultSenderConstrained, browser, app.ExitPermission, "cnf"},
		{auth0.FaultSymmetric, browser, app.ExitSignIn, "RS256"},
		{auth0.FaultDeviceOff, device, app.ExitUsage, "Device Code"},
		{auth0.FaultMachineActionMissing, machine, app.ExitPermission, "trigger credentials-exchange"},
		{auth0.FaultGrantMissing, machine, app.ExitSignIn, "client grant"},
		{auth0.FaultSecretWrong, machine, app.ExitSignIn, "rotated"},
		{auth0.FaultUnavailable, machine, app.ExitUnavailable, "503"},

		{oidc.FaultUnavailable, openid, app.ExitUnavailable, "503"},
		{oidc.FaultIssuerMismatch, openid, app.ExitUsage, "letter by letter"},
		{oidc.FaultJWKSUnavailable, openid, app.ExitUnavailable, "503"},
		{oidc.FaultKeyUnpublished, openid, app.ExitSignIn, "none of the 1 keys"},
		{oidc.FaultWrongNonce, openid, app.ExitSignIn, "nonce"},
		{oidc.FaultWrongAudience, openid, app.ExitSignIn, "another application"},
		{oidc.FaultExpired, openid, app.ExitSignIn, "expired"},
		{oidc.FaultRedirect, openid, app.ExitUnavailable, "none is followed"},
		{oidc.FaultHuge, openid, app.ExitUnavailable, "larger than"},
		{oidc.FaultDeviceOff, "--provider oidc --method device", app.ExitUsage, "device_authorization_endpoint"},

		{ci.FaultUnavailable, workload, app.ExitUnavailable, "503"},
		{ci.FaultForbidden, workload, app.ExitSignIn, "id-token: write"},
		{ci.FaultWrongAudience, workload, app.ExitPermission, "somebody-else"},
		{ci.FaultExpired, workload, app.ExitSignIn, "ended at"},
		{ci.FaultJWKSUnavailable, workload, app.ExitUnavailable, "503"},
		{ci.FaultKeyUnpublished, workload, app.ExitSignIn, "none of the 1 keys"},
	} {
		t.Run(tt.fault+" "+tt.login, func(t *testing.T) {
			term.t = t
			if strings.Contains(tt.login, "oidc") {
				term.environ = append(term.environ[:len(term.environ)-1], "ZEN_TOKEN_PROVIDER=platformtoken")
			}
			if err := stack.Faults.Switch(tt.fault, true); err != nil {
				t.Fatal(err)
			}
			code, said := term.ends(append([]string{"login"}, strings.Fields(tt.login)...)...)
			if err := stack.Faults.Switch(tt.fault, false); err != nil {
				t.Fatal(err)
			}
			if code != tt.code || !strings.Contains(said, tt.want) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, tt.code, tt.want, said)
			}
			if code, said := term.ends("token"); code != app.ExitSignIn {
				t.Errorf("zen token after the failed sign-in: exit code %d: %s", code, said)
			}
		})
	}
}

// Auth0 treats a refresh token as reused and revokes its family: the next renewal reports
// that a new sign-in is needed, and that sign-in works.
func TestAuth0FamilyRevoked(t *testing.T) {
	t.Parallel()
	seed := devstack.DefaultSeed()
	term, stack := newStackUser(t, devstack.Options{Seed: seed})
	term.environ = append(term.environ, "BROWSER=zen dev browse --user alice")
	if err := stack.Auth0.AddAPI(auth0.API{Identifier: auth0.DefaultAudience, Scopes: []string{auth0.DefaultWriteScope}}); err != nil {
		t.Fatal(err)
	}
	term.run("login", "--provider", "auth0")
	for _, fault := range []string{auth0.FaultRefreshReused, auth0.FaultRefreshRevoked} {
		if err := stack.Faults.Switch(fault, true); err != nil {
			t.Fatal(err)
		}
		forgetTokens(t, stateOf(term.environ))
		if code, said := term.ends("db", "query", "SELECT 1"); code != app.ExitSignIn || !strings.Contains(said, "zen login") {
			t.Errorf("%s: exit code %d: %s", fault, code, said)
		}
		if err := stack.Faults.Switch(fault, false); err != nil {
			t.Fatal(err)
		}
		term.run("login", "--provider", "auth0")
		if got := term.run("db", "query", "--format", "csv", "SELECT 1 AS n"); got != "n\n1\n" {
			t.Errorf("query after a new sign-in: %q", got)
		}
	}
}
