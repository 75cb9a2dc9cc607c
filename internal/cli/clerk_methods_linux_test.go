package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/bao"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/team"
	"github.com/zen-auth/zen/devstack/turso"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/testwait"
)

// newClerkUser returns zen as a process next to a stack, with Alice at the browser.
func newClerkUser(t *testing.T) (*stackUser, *devstack.Stack) {
	term, stack := newStackUser(t, devstack.Options{})
	term.environ = append(term.environ, "BROWSER=zen dev browse --user alice", "TERM=xterm")
	return term, stack
}

// signInBy signs Alice in with one of Clerk's methods.
func (term *stackUser) signInBy(stack *devstack.Stack, method string, args ...string) {
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
		term.t.Fatalf("%d mails were sent, want 1", len(mails)-before)
	}
	s.typed("000000\r")
	s.await("That was not it.")
	s.typed(mails[0].Code + "\r")
	s.await(`Signed in to profile "default" with clerk as alice@example.test.`)
	if err := s.wait(); err != nil {
		term.t.Error(err)
	}
	if !s.echoes() {
		term.t.Error("the terminal's echo is still off")
	}
}

// setTokenProvider sets another provider for the tokens where the method can't issue tokens for
// databases.
func (term *stackUser) setTokenProvider(method string) {
	tokens := ""
	if method == "oauth" || method == "device" {
		tokens = "platformtoken"
	}
	term.environ = append(term.environ, "ZEN_TOKEN_PROVIDER="+tokens)
}

// Each way to sign in with Clerk leads, with real processes, to rows of the database and of a
// replica. The code by e-mail is typed at a terminal.
func TestClerkMethodsToRows(t *testing.T) {
	t.Parallel()
	term, stack := newClerkUser(t)
	for _, method := range []string{"email", "oauth", "device", "redirect"} {
		t.Run(method, func(t *testing.T) {
			term.t = t
			term.setTokenProvider(method)
			term.signInBy(stack, method)
			for _, mode := range modes() {
				if got := term.run("db", "query", "--mode", mode, "--format", "csv", "SELECT 40 + 2 AS n"); got != "n\n42\n" {
					t.Errorf("mode %s: %q", mode, got)
				}
			}
			if got := term.run("status"); !strings.Contains(got, "alice@example.test") {
				t.Errorf("zen status:\n%s", got)
			}
		})
	}
}

// end is something that an administrator does to Alice's sign-ins in the dashboard.
type end struct {
	name    string
	happens func(*stackUser, *devstack.Stack)
}

var (
	endRevoked = end{"revoked", func(term *stackUser, stack *devstack.Stack) {
		if token := term.refreshToken(); token != "" {
			applications := term.backend(stack, http.MethodGet, "/oauth_applications?name_query="+clerk.DefaultOAuthClientID)["data"].([]any)
			id := applications[0].(map[string]any)["id"].(string)
			term.backend(stack, http.MethodPost, "/oauth_applications/"+id+"/revoke_token", `{"token":"`+token+`"}`)
		}
		for _, id := range stack.Clerk.SessionIDs(stack.Clerk.UserID("alice@example.test")) {
			term.backend(stack, http.MethodPost, "/sessions/"+id+"/revoke")
		}
	}}
	endBanned = end{"banned", func(term *stackUser, stack *devstack.Stack) {
		term.backend(stack, http.MethodPost, "/users/"+stack.Clerk.UserID("alice@example.test")+"/ban")
	}}
	endDeleted = end{"deleted", func(term *stackUser, stack *devstack.Stack) {
		term.backend(stack, http.MethodDelete, "/users/"+stack.Clerk.UserID("alice@example.test"))
	}}
	endRotated = end{"the keys rotated", func(term *stackUser, stack *devstack.Stack) {
		if err := stack.Clerk.RotateKey(clerk.Rotation{}); err != nil {
			term.t.Fatal(err)
		}
	}}
	endLeft = end{"organization left", func(term *stackUser, stack *devstack.Stack) {
		// An organization needs an administrator.
		bob := stack.Clerk.UserID("bob@example.test")
		term.backend(stack, http.MethodPost, "/organizations/acme/memberships", `{"user_id":"`+bob+`","role":"org:admin"}`)
		term.backend(stack, http.MethodDelete, "/organizations/acme/memberships/"+stack.Clerk.UserID("alice@example.test"))
	}}
)

// refreshToken returns the stored refresh token of a sign-in by OAuth, or "".
func (term *stackUser) refreshToken() string {
	term.t.Helper()
	state, profile := "", "default"
	for _, v := range term.environ {
		switch name, value, _ := strings.Cut(v, "="); name {
		case "ZEN_STATE_DIR":
			state = value
		case "ZEN_PROFILE":
			profile = value
		}
	}
	record, err := store.New(state).Load(profile)
	if err != nil {
		term.t.Fatal(err)
	}
	var held struct {
		Refresh string `json:"refresh"`
	}
	if err := json.Unmarshal([]byte(record.Accounts["clerk"].Credential.Data.Reveal()), &held); err != nil {
		term.t.Fatal(err)
	}
	return held.Refresh
}

// The next token request reports what ended a sign-in, with every method.
func TestClerkSignInsEnd(t *testing.T) {
	t.Parallel()
	const ended, gone, notIn = "the session has ended", "invalid_grant", "organization that the account is not in any more"
	for _, tt := range []struct {
		end
		session string // expected for a sign-in with a session; "" if it survives
		grant   string // expected for a sign-in by OAuth
	}{
		{endRevoked, ended, gone},
		{endBanned, ended, gone},
		{endDeleted, ended, gone},
		// A grant outlives the keys, which don't sign its refresh token.
		{endRotated, ended, ""},
		// The template uses no claim of the organization, so its token stays the same without
		// it.
		{endLeft, "", notIn},
	} {
		for _, method := range []string{"bridge", "email", "oauth", "device"} {
			t.Run(tt.name+"/"+method, func(t *testing.T) {
				t.Parallel()
				term, stack := newClerkUser(t)
				term.setTokenProvider(method)
				want, args := tt.session, []string(nil)
				if method == "oauth" || method == "device" {
					want = tt.grant
				}
				if tt.name == endLeft.name {
					args = []string{"--org", "acme"}
				}
				term.signInBy(stack, method, args...)
				tt.happens(term, stack)
				code, said := term.ends("token", "--renew")
				switch {
				case want == "" && code != app.ExitOK:
					t.Errorf("exit code %d: %s", code, said)
				case want != "" && (code != app.ExitSignIn && code != app.ExitPermission || !strings.Contains(said, want) || strings.Contains(said, "eyJ")):
					t.Errorf("exit code %d: %s, want %q", code, said, want)
				case want != "" && !strings.Contains(said, "zen login"):
					t.Errorf("no hint about zen login: %s", said)
				}
			})
		}
	}
}

// A sign-in by redirect is a single token: of the events that end other sign-ins, only the
// rotation of the keys at the database ends it, and it can't be renewed.
func TestClerkRedirectEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a token to expire; make test-all runs it")
	}
	t.Parallel()
	for _, e := range []end{endRevoked, endBanned, endDeleted, endRotated, endLeft} {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			term, stack := newClerkUser(t)
			claims, err := stack.Turso.Template(devstack.Organization, devstack.Database, turso.TokenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(claims)
			if err != nil {
				t.Fatal(err)
			}
			const life = 8 * time.Second
			if err := stack.Clerk.SetTemplate("turso", text, life); err != nil {
				t.Fatal(err)
			}
			made := time.Now()
			term.signInBy(stack, "redirect")
			e.happens(term, stack)
			query := []string{"db", "query", "--format", "csv", "SELECT 40 + 2 AS n"}
			if e.name == endRotated.name {
				if code, said := term.ends(query...); code != app.ExitSignIn {
					t.Errorf("exit code %d: %s", code, said)
				}
			} else if got := term.run(query...); got != "n\n42\n" {
				t.Errorf("zen db query printed %q", got)
			}
			testwait.For(t.Context(), time.Until(made.Add(life+jwks.Skew+time.Second))) // the token is accepted until then
			code, said := term.ends("token")
			if code != app.ExitSignIn || !strings.Contains(said, "can't be renewed") || !strings.Contains(said, "zen login") {
				t.Errorf("exit code %d: %s", code, said)
			}
		})
	}
}

// With an OAuth application and a real OpenBao: a role accepts the ID token, whose audience
// is the application. The next token request reports what ended the sign-in.
func TestClerkOAuthAndOpenBao(t *testing.T) {
	if testing.Short() {
		t.Skip("needs OpenBao; make test-all runs it")
	}
	program, err := bao.Find()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("%v: scripts/install-test-tools.sh installs it", err)
	case err != nil:
		t.Skipf("SKIPPED: %v. scripts/install-test-tools.sh installs it.", err)
	}
	term, stack := newClerkUser(t)
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
	for _, mode := range modes() {
		if got := term.run("db", "query", "--mode", mode, "--access", "ro", "--format", "csv", "SELECT 40 + 2 AS n"); got != "n\n42\n" {
			t.Errorf("mode %s: %q", mode, got)
		}
	}
	for _, tt := range []struct {
		end
		want string
	}{{endLeft, "organization that the account is not in any more"}, {endRevoked, "invalid_grant"}} {
		tt.happens(term, stack)
		if code, said := term.ends("token", "--access", "ro", "--renew"); code == app.ExitOK || !strings.Contains(said, tt.want) {
			t.Errorf("%s: exit code %d: %s", tt.name, code, said)
		}
	}
}
