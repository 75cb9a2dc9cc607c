//go:build !windows

package cli

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/internal/cli/app"
)

// ends runs zen and returns its exit code and output.
func (term *stackUser) ends(args ...string) (code int, said string) {
	term.t.Helper()
	ctx, cancel := context.WithTimeout(term.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := term.command(ctx, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		term.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// Spike E1: an API key is verified at Clerk, its subject and scopes are read, and an invalid
// key is reported with the reason.
func TestSpikeE1ClerkAPIKeyVerify(t *testing.T) {
	t.Parallel()
	term, stack := newStackUser(t, devstack.Options{})
	if out := term.run("login", "--provider", "apikey", "--no-input"); out != "" {
		t.Errorf("standard output: %q", out)
	}
	alice := stack.Clerk.UserID("alice@example.test")
	if status := term.run("status", "--json"); !strings.Contains(status, alice) || !strings.Contains(status, "zen dev") {
		t.Errorf("zen status printed %s", status)
	}
	term.run("logout")
	for fault, want := range map[string]string{
		clerk.FaultAPIKeyUnknown: "no such key", clerk.FaultAPIKeyRevoked: "revoked", clerk.FaultAPIKeyExpired: "expired", clerk.FaultAPIKeyBare: "scopes",
	} {
		if err := stack.Faults.Switch(fault, true); err != nil {
			t.Fatal(err)
		}
		code, said := term.ends("login", "--provider", "apikey", "--no-input")
		if code != app.ExitSignIn && code != app.ExitPermission || !strings.Contains(said, want) {
			t.Errorf("%s: exit code %d: %s", fault, code, said)
		}
		if err := stack.Faults.Switch(fault, false); err != nil {
			t.Fatal(err)
		}
	}
}

// Spike E2: from an API key through Clerk's JWT to rows, remote and on a replica, until the
// key is revoked.
func TestSpikeE2APIKeyToTurso(t *testing.T) {
	t.Parallel()
	term, stack := newStackUser(t, devstack.Options{})
	alice := stack.Clerk.UserID("alice@example.test")
	id, secret, err := stack.Clerk.AddAPIKey(clerk.APIKey{Name: "ci of alice", Subject: alice, Scopes: []string{"db:read", "db:write"}})
	if err != nil {
		t.Fatal(err)
	}
	term.environ = append(term.environ, "ZEN_APIKEY__KEY="+secret)
	term.run("login", "--provider", "apikey", "--no-input")
	for _, mode := range modes() {
		if got := term.run("db", "query", "--mode", mode, "--format", "csv", "SELECT 40 + 2 AS n"); got != "n\n42\n" {
			t.Errorf("mode %s: %q", mode, got)
		}
	}
	if err := stack.Clerk.RevokeAPIKey(id); err != nil {
		t.Fatal(err)
	}
	forgetTokens(t, stateOf(term.environ))
	if code, said := term.ends("db", "query", "SELECT 1"); code != app.ExitSignIn {
		t.Errorf("after the revocation: exit code %d: %s", code, said)
	}
	if left := stack.Clerk.SessionIDs(alice); len(left) != 0 {
		t.Errorf("a revoked key has sessions: %v", left)
	}
}

// Spike H7: an API key signs in a CI job: no terminal, no browser, no prompts.
func TestSpikeH7APIKeyHeadless(t *testing.T) {
	t.Parallel()
	term, _ := newStackUser(t, devstack.Options{})
	term.environ = append(term.environ, "CI=true", "BROWSER=false", "TERM=dumb")
	term.run("login", "--provider", "apikey", "--no-input")
	if got := term.run("--no-input", "db", "query", "--format", "csv", "SELECT 7 AS n"); got != "n\n7\n" {
		t.Errorf("zen db query printed %q", got)
	}
}

// Each way to sign in works in zen dev, with the settings that it exports and a user at the
// browser.
func TestDevSignIns(t *testing.T) {
	t.Parallel()
	zen := shipped(t)
	for name, tt := range map[string]struct{ setup, login string }{
		"clerk":          {"", "--provider clerk"},
		"auth0":          {"", "--provider auth0"},
		"auth0, device":  {"", "--provider auth0 --method device"},
		"auth0, machine": {"", "--provider auth0 --method client-credentials"},
		"apikey":         {"", "--provider apikey"},
		"oidc":           {"export ZEN_TOKEN_PROVIDER=platformtoken", "--provider oidc"},
		"oidc, device":   {"export ZEN_TOKEN_PROVIDER=platformtoken", "--provider oidc --method device"},
		"oidc, workload": {"export ZEN_TOKEN_PROVIDER=platformtoken", "--provider oidc --method workload"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := zen.run(t, "dev", "--", "sh", "-ec", `export BROWSER="zen dev browse --user alice"
`+tt.setup+`
zen login `+tt.login+`
zen db query --format csv "SELECT 1 AS n"`)
			if code != 0 || stdout != "n\n1\n" {
				t.Errorf("exit code %d, stdout %q\n%s", code, stdout, stderr)
			}
		})
	}
}
