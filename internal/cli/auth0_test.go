package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/turso"
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/testwait"
)

// userMachine is a user's machine with the shipped programs, connected to a stack.
type userMachine struct {
	t       *testing.T
	zen     string
	environ []string
}

func newUserMachine(t *testing.T, stack *devstack.Stack, user string, changes ...string) *userMachine {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Cleanup(func() { removeWhenQuiet(dir) })
	h := &userMachine{t: t, zen: filepath.Join(bin, "zen"+programs.Exe), environ: inStack(t, stack, dir, os.Environ())}
	h.environ = append(h.environ, "CI=", "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "BROWSER=zen dev browse --user "+user)
	h.environ = append(h.environ, changes...)
	return h
}

func (h *userMachine) command(args ...string) *exec.Cmd {
	cmd := exec.Command(h.zen, args...)
	cmd.Env = h.environ
	return cmd
}

// run runs zen, checks its exit code and returns its output.
func (h *userMachine) run(code int, args ...string) (stdout, stderr string) {
	h.t.Helper()
	cmd := h.command(args...)
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	if runErr := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		h.t.Fatalf("zen %s: %v, want exit code %d\n%s%s", strings.Join(args, " "), runErr, code, out.String(), err.String())
	}
	return out.String(), err.String()
}

// hourly is an API whose tokens live for an hour.
const hourly = "https://hourly.example.test"

// tenant is a stack whose Auth0 counts the refresh token exchanges. As Auth0 does, it revokes
// the whole sign-in if a refresh token is used twice.
type tenant struct {
	*devstack.Stack
	clock     *devstack.Clock
	refreshes atomic.Int64
}

func newTenant(t *testing.T) *tenant {
	t.Helper()
	s := &tenant{clock: devstack.NewClock(time.Now())}
	s.Stack = devstacktest.Start(t, devstack.Options{Now: s.clock.Now})
	claims := map[bool]map[string]any{} // keyed by write access
	for _, writing := range []bool{true, false} {
		var err error
		if claims[writing], err = s.Turso.Template(devstack.Organization, devstack.Database, turso.TokenOptions{ReadOnly: !writing}); err != nil {
			t.Fatal(err)
		}
	}
	// An API whose tokens expire before a sign-in's ID token.
	if err := s.Auth0.AddAPI(auth0.API{Identifier: hourly, TokenLifetime: time.Hour, Scopes: []string{auth0.DefaultWriteScope}}); err != nil {
		t.Fatal(err)
	}
	s.Auth0.SetAction(func(l *auth0.Login) {
		if l.Refresh {
			s.refreshes.Add(1)
		}
		for name, value := range claims[slices.Contains(l.Scopes, auth0.DefaultWriteScope)] {
			l.SetAccessTokenClaim(name, value)
		}
	})
	return s
}

// signInBefore signs in at a time in the past, so that the token has the given age now.
func (s *tenant) signInBefore(h *userMachine, age time.Duration) {
	s.clock.Set(time.Now().Add(-age))
	h.run(0, "login", "--provider", "auth0")
	s.clock.Set(time.Now())
}

// Fifty processes request an Auth0 token at once when the stored one has expired: one
// exchanges the refresh token, the others take what it stored, and no process is signed out.
func TestFiftyProcessesRenewOneAuth0Token(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	for range rounds(t, 1) {
		h := newUserMachine(t, s.Stack, "alice", "ZEN_AUTH0__AUDIENCE="+hourly)
		s.signInBefore(h, time.Hour-30*time.Second) // less than what a good token needs
		before := s.refreshes.Load()
		tokens := make([]string, 50)
		var wait sync.WaitGroup
		for n := range tokens {
			wait.Go(func() {
				out, err := h.command("token").Output()
				if err != nil {
					t.Errorf("process %d: %v", n, err)
				}
				tokens[n] = strings.TrimSpace(string(out))
			})
		}
		wait.Wait()
		for n, token := range tokens {
			if token == "" || token != tokens[0] {
				t.Errorf("process %d got no token or a different one", n)
			}
		}
		if got := s.refreshes.Load() - before; got != 1 {
			t.Errorf("the refresh token was exchanged %d times, want 1", got)
		}
		// The sign-in still works: it gets another token, which was not stored yet.
		h.run(0, "token", "--access", "ro")
	}
}

// Killing zen token at random moments of a renewal never loses the sign-in, though Auth0
// accepts each refresh token only once.
func TestKilledRenewalsKeepTheAuth0SignIn(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	h := newUserMachine(t, s.Stack, "alice", "ZEN_AUTH0__AUDIENCE="+hourly)
	// Each token is close to its expiry when it is issued, so that every zen token renews it.
	before := func() { s.clock.Set(time.Now().Add(30*time.Second - time.Hour)) }
	before()
	h.run(0, "login", "--provider", "auth0")
	s.kill(h, before, "token")
	s.clock.Set(time.Now())
	h.run(0, "token")
}

// zen team uses tokens of another API from the same refresh token: each run exchanges it.
func TestKilledTeamCallsKeepTheAuth0SignIn(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	h := newUserMachine(t, s.Stack, "alice", "ZEN_AUTH0__CLIENT_ID="+auth0.DefaultOrgClientID)
	h.run(0, "login", "--provider", "auth0", "--org", "acme")
	s.kill(h, func() {}, "team", "list")
	if out, _ := h.run(0, "team", "list"); !strings.Contains(out, "alice@example.test") {
		t.Errorf("zen team list printed %q", out)
	}
	h.run(0, "token", "--renew")
}

// kill runs a command that exchanges the refresh token, and kills or interrupts it at random
// moments.
func (s *tenant) kill(h *userMachine, before func(), args ...string) {
	t := h.t
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupts for single processes")
	}
	before()
	began := time.Now()
	h.run(0, args...)
	whole := time.Since(began)
	n, killed := rounds(t, 30), 0
	for round := range n {
		before()
		cmd := h.command(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		testwait.Moment(t.Context(), 0, whole) // during the exchange
		if round%5 == 4 {
			_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		} else {
			_ = cmd.Process.Kill()
		}
		failed := cmd.Wait() != nil
		if failed {
			killed++
		}
		whole = next(whole, failed)
	}
	t.Logf("%d of %d were killed within %s; the refresh token was exchanged for %d tokens of the API", killed, n, whole, s.refreshes.Load())
	if killed < n/6 {
		t.Errorf("only %d of %d were killed", killed, n)
	}
}

// Two users of two organizations, each through Auth0 and through Clerk: neither can read the
// other's database.
func TestOrganizationsAreIsolated(t *testing.T) {
	t.Parallel()
	seed := devstack.DefaultSeed()
	o := &seed.Turso.Organizations[0]
	o.Databases = append(o.Databases, devstack.DatabaseSeed{Name: "globex", SQL: "CREATE TABLE secrets (text); INSERT INTO secrets VALUES ('of globex')"})
	o.Databases[0].SQL = "CREATE TABLE secrets (text); INSERT INTO secrets VALUES ('of acme')"
	stack := devstacktest.Start(t, devstack.Options{Seed: seed})
	databases := map[string]string{"acme": "app", "globex": "globex"} // by organization
	urls, claims := map[string]string{}, map[string]map[string]any{}
	ids := map[string]string{}
	for _, d := range stack.Turso.Databases(devstack.Organization) {
		for organization, name := range databases {
			if d.Name == name {
				urls[organization], ids[organization] = stack.URL()+d.Path, d.ID
			}
		}
	}
	for organization, name := range databases {
		var err error
		if claims[organization], err = stack.Turso.Template(devstack.Organization, name, turso.TokenOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	stack.Auth0.SetAction(func(l *auth0.Login) {
		if l.Organization == nil {
			return
		}
		for name, value := range claims[l.Organization.Name] {
			l.SetAccessTokenClaim(name, value)
		}
	})
	for user, organization := range map[string]string{"alice": "acme", "bob": "globex"} {
		other := map[string]string{"acme": "globex", "globex": "acme"}[organization]
		own := []string{"ZEN_DATABASE=" + urls[organization], "ZEN_DATABASE_ID=" + ids[organization]}
		foreign := append(os.Environ(), "ZEN_DATABASE="+urls[other], "ZEN_DATABASE_ID="+ids[other])
		h := newUserMachine(t, stack, user, append(own, "ZEN_AUTH0__CLIENT_ID="+auth0.DefaultOrgClientID)...)
		h.run(0, "login", "--provider", "auth0", "--org", organization)
		if out, _ := h.run(0, "db", "query", "SELECT text FROM secrets"); !strings.Contains(out, "of "+organization) {
			t.Errorf("%s reads %q", user, out)
		}
		// The other organization doesn't accept the user, and its database doesn't accept the
		// token.
		_, stderr := h.run(3, "login", "--provider", "auth0", "--org", other)
		if !strings.Contains(stderr, "is not part of") {
			t.Errorf("sign-in of %s to %s: %s", user, other, stderr)
		}
		elsewhere := *h
		elsewhere.environ = append(append([]string{}, h.environ...), foreign[len(foreign)-2:]...)
		if _, stderr := elsewhere.run(5, "db", "query", "SELECT text FROM secrets"); !strings.Contains(stderr, "is for database "+ids[organization]) {
			t.Errorf("query of %s in the database of %s: %s", user, other, stderr)
		}
	}
}
