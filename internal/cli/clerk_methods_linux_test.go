package cli

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/bao"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/team"
	"github.com/zen-auth/zen/internal/cli/app"
)

// newMethods is zen as a process beside a stack, whose browser is Alice.
func newMethods(t *testing.T) (*desk, *devstack.Stack) {
	term, stack := newDesk(t, devstack.Options{})
	term.environ = append(term.environ, "BROWSER=zen dev browse --user alice", "TERM=xterm")
	return term, stack
}

// signInBy signs Alice in by a method of Clerk's.
func (term *desk) signInBy(stack *devstack.Stack, method string, args ...string) {
	term.t.Helper()
	args = append([]string{"login", "--provider", "clerk", "--method", method}, args...)
	if method != "email" {
		term.run(args...)
		return
	}
	s := onTerminal(term.t, term.environ, args...)
	s.await("E-mail address of your account at ")
	before := len(stack.Mails("alice@example.test"))
	s.typed("alice@example.test\r")
	s.await("Code that was sent to a****e@example.test")
	mails := stack.Mails("alice@example.test")
	if len(mails) != before+1 {
		term.t.Fatalf("%d mails", len(mails)-before)
	}
	s.typed("000000\r")
	s.await("That was not it.")
	s.typed(mails[0].Code + "\r")
	s.await(`Signed in to profile "default" with clerk as alice@example.test.`)
	if err := s.wait(); err != nil {
		term.t.Error(err)
	}
	if !s.echoes() {
		term.t.Error("the terminal shows nothing any more")
	}
}

// by has another provider make the tokens where the method makes none for databases.
func (term *desk) by(method string) {
	tokens := ""
	if method == "oauth" || method == "device" {
		tokens = "platformtoken"
	}
	term.environ = append(term.environ, "ZEN_TOKEN_PROVIDER="+tokens)
}

// Each way to sign in with Clerk, by real processes, to rows of the database itself and of
// a replica: the code by e-mail at a terminal.
func TestClerkMethodsToRows(t *testing.T) {
	t.Parallel()
	term, stack := newMethods(t)
	modes := []string{"remote"}
	if embeddedModes {
		modes = append(modes, "replica")
	}
	for _, method := range []string{"email", "oauth", "device", "redirect"} {
		t.Run(method, func(t *testing.T) {
			term.t = t
			term.by(method)
			term.signInBy(stack, method)
			for _, mode := range modes {
				if got := term.run("db", "query", "--mode", mode, "--format", "csv", "SELECT 40 + 2 AS n"); got != "n\n42\n" {
					t.Errorf("%s: %q", mode, got)
				}
			}
			if got := term.run("status"); !strings.Contains(got, "alice@example.test") && method != "redirect" {
				t.Errorf("zen status:\n%s", got)
			}
		})
	}
}

// backend does something by the Backend API, as the dashboard does.
func (term *desk) backend(stack *devstack.Stack, method, path string) {
	term.t.Helper()
	req, err := http.NewRequestWithContext(term.t.Context(), method, stack.Clerk.BackendURL()+path, nil)
	if err != nil {
		term.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+stack.Clerk.SecretKey())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		term.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		term.t.Fatalf("%s %s: %s", method, path, res.Status)
	}
}

// What ended a sign-in is told at the next token, whichever way it was made.
func TestClerkSignInsEnd(t *testing.T) {
	t.Parallel()
	switched := func(fault string) func(*desk, *devstack.Stack) {
		return func(term *desk, stack *devstack.Stack) {
			if err := stack.Faults.Switch(fault, true); err != nil {
				term.t.Fatal(err)
			}
		}
	}
	const ended, left = "the session has ended", "organization that the account is not in any more"
	for _, tt := range []struct {
		end          string
		happens      func(*desk, *devstack.Stack)
		session      string // of a sign-in that has one; "" is none at all
		grant        string // of one by OAuth
		organization bool
	}{
		{"revoked in the dashboard", func(term *desk, stack *devstack.Stack) {
			for _, id := range stack.Clerk.SessionIDs(stack.Clerk.UserID("alice@example.test")) {
				if err := stack.Clerk.RevokeSession(id); err != nil {
					term.t.Fatal(err)
				}
			}
			switched(clerk.FaultOAuthRevoked)(term, stack)
		}, ended, "invalid_grant", false},
		{"banned", func(term *desk, stack *devstack.Stack) {
			term.backend(stack, http.MethodPost, "/users/"+stack.Clerk.UserID("alice@example.test")+"/ban")
		}, ended, "invalid_grant", false},
		// A grant outlives the keys: its refresh token is none of theirs.
		{"the keys rotated", func(term *desk, stack *devstack.Stack) {
			if err := stack.Clerk.RotateKey(clerk.Rotation{}); err != nil {
				term.t.Fatal(err)
			}
		}, ended, "", false},
		// A template that takes nothing from the organization makes the same token without it.
		{"organization left", switched(clerk.FaultOrganizationLeft), "", left, true},
	} {
		for _, method := range []string{"bridge", "email", "oauth"} {
			t.Run(tt.end+"/"+method, func(t *testing.T) {
				term, stack := newMethods(t)
				term.by(method)
				want := tt.session
				if method == "oauth" {
					want = tt.grant
				}
				var args []string
				if tt.organization {
					args = []string{"--org", "acme"}
				}
				term.signInBy(stack, method, args...)
				tt.happens(term, stack)
				code, said := term.ends("token", "--renew")
				switch {
				case want == "" && code != app.ExitOK:
					t.Errorf("%d %s", code, said)
				case want != "" && (code != app.ExitSignIn && code != app.ExitPermission || !strings.Contains(said, want) || strings.Contains(said, "eyJ")):
					t.Errorf("%d %s, want %q", code, said, want)
				case want != "" && !strings.Contains(said, "zen login"):
					t.Errorf("what to do is not told: %s", said)
				}
			})
		}
	}
}

// By an OAuth application and OpenBao, a real one: the ID token is for the application, and
// a role takes it. What ended the sign-in is told at the next token.
func TestClerkOAuthAndOpenBao(t *testing.T) {
	if testing.Short() {
		t.Skip("make test-all has OpenBao")
	}
	program, err := bao.Find()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("%v: scripts/install-test-tools.sh installs it", err)
	case err != nil:
		t.Skipf("SKIPPED: %v. scripts/install-test-tools.sh installs it.", err)
	}
	term, stack := newMethods(t)
	plugins := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", plugins+"/", "./cmd/...")
	build.Dir, build.Env = filepath.Join("..", "..", "openbao"), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the plugins: %v\n%s", err, out)
	}
	b, err := team.Start(t.Context(), stack, team.Options{Program: program, Plugins: plugins, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	variables, err := b.Environment(filepath.Join(term.dir, "zen", "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables {
		term.environ = append(term.environ, v.Name+"="+v.Value)
	}
	role := map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": clerk.DefaultOAuthClientID, "token_policies": "team-ro",
		"claim_mappings": map[string]any{"org_slug": "org_slug"}, "bound_claims": map[string]any{"org_slug": "acme"},
	}
	if err := b.Server.Write(t.Context(), "auth/people/role/oauth", role); err != nil {
		t.Fatal(err)
	}
	term.environ = append(term.environ, "TURSO_API_TOKEN=", "CLERK_SECRET_KEY=",
		"ZEN_OPENBAO__AUTH_ROLE=oauth", "ZEN_OPENBAO__ROLE=team-ro", "ZEN_OPENBAO__AUDIENCE="+clerk.DefaultOAuthClientID)
	term.signInBy(stack, "oauth", "--org", "acme")
	if got := term.run("db", "query", "--access", "ro", "--format", "csv", "SELECT 40 + 2 AS n"); got != "n\n42\n" {
		t.Errorf("%q", got)
	}
	for _, tt := range []struct{ fault, want string }{
		{clerk.FaultOrganizationLeft, "organization that the account is not in any more"}, {clerk.FaultOAuthRevoked, "invalid_grant"},
	} {
		if err := stack.Faults.Switch(tt.fault, true); err != nil {
			t.Fatal(err)
		}
		if code, said := term.ends("token", "--access", "ro", "--renew"); code == app.ExitOK || !strings.Contains(said, tt.want) {
			t.Errorf("%s: %d %s", tt.fault, code, said)
		}
	}
}
