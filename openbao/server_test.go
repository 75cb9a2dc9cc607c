// Package openbao_test runs the plugins in OpenBao's own server. It needs bao, which
// scripts/install-test-tools.sh installs.
package openbao_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/bao"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

const (
	secretsPlugin = "openbao-plugin-secrets-turso"
	authPlugin    = "openbao-plugin-auth-clerk"
)

// buildDir is where the plugins are built, once.
var buildDir string

func TestMain(m *testing.M) {
	var err error
	if buildDir, err = os.MkdirTemp("", "zen-openbao-"); err != nil {
		panic(err)
	}
	// A server refuses a plugin directory that is a symbolic link.
	if buildDir, err = filepath.EvalSymlinks(buildDir); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(buildDir)
	os.Exit(code)
}

var build = sync.OnceValue(func() error { return buildInto(buildDir, "") })

// buildInto builds both plugins, with a version unless it is "".
func buildInto(dir, version string) error {
	flags := "-s -w"
	if version != "" {
		flags += " -X github.com/zen-auth/zen/openbao/internal/serve.release=" + version
	}
	command := exec.Command("go", "build", "-trimpath", "-ldflags", flags, "-o", dir+string(filepath.Separator), "./cmd/...")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build the plugins: %w: %s", err, out)
	}
	return nil
}

// program returns bao's path. Without bao the test is skipped with a notice, or fails in
// CI.
func program(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short runs no servers")
	}
	path, err := bao.Find()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("Find = %v: scripts/install-test-tools.sh installs it", err)
	case err != nil:
		t.Skipf("SKIPPED: %v, so the plugins aren't tested in it. scripts/install-test-tools.sh installs it.", err)
	}
	return path
}

// team is an OpenBao with both plugins, and a stack.
type team struct {
	*bao.Server
	t     testing.TB
	stack *devstack.Stack
}

// newServer starts an unsealed server alone, with both plugins registered.
func newServer(t testing.TB) *bao.Server { return newServerWith(t, bao.Options{}) }

func newServerWith(t testing.TB, o bao.Options) *bao.Server {
	t.Helper()
	o.Program = program(t)
	if err := build(); err != nil {
		t.Fatal(err)
	}
	o.Dir, o.Plugins = t.TempDir(), buildDir
	server, err := bao.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	register(t, server)
	return server
}

func register(t testing.TB, server *bao.Server) {
	t.Helper()
	for name, kind := range map[string]string{secretsPlugin: "secret", authPlugin: "auth"} {
		if err := server.Register(t.Context(), kind, name, filepath.Join(buildDir, name), ""); err != nil {
			t.Fatal(err)
		}
	}
}

// newTeam mounts and configures everything: turso/, clerk/ for API keys, jwt/ for the
// stack's Clerk, kv/.
func newTeam(t testing.TB) *team { return teamOf(t, newServer(t)) }

func teamOf(t testing.TB, server *bao.Server) *team {
	t.Helper()
	tm := &team{Server: server, t: t, stack: devstacktest.Start(t, devstack.Options{})}
	tm.mount()
	return tm
}

func (tm *team) mount() {
	tm.t.Helper()
	tm.write("sys/mounts/turso", object{"type": secretsPlugin})
	tm.write("sys/mounts/kv", object{"type": "kv"})
	tm.write("sys/auth/clerk", object{"type": authPlugin})
	tm.write("sys/auth/jwt", object{"type": "jwt"})
	tm.write("turso/config", object{"api_token": tm.stack.APIToken(), "organization": "acme", "api_url": tm.stack.URL(), "group": "default"})
	tm.write("auth/clerk/config", object{"secret_key": tm.stack.Clerk.SecretKey(), "instance": tm.stack.Clerk.PublishableKey(), "api_url": tm.stack.Clerk.BackendURL()})
	tm.write("auth/jwt/config", object{"jwks_url": tm.stack.Clerk.Issuer() + "/.well-known/jwks.json", "bound_issuer": tm.stack.Clerk.Issuer()})
}

type object = map[string]any

func (tm *team) write(path string, body object) {
	tm.t.Helper()
	if err := tm.Write(tm.t.Context(), path, body); err != nil {
		tm.t.Fatalf("write %s: %v", path, err)
	}
}

func (tm *team) read(path string) object {
	tm.t.Helper()
	data, err := tm.Read(tm.t.Context(), path)
	if err != nil {
		tm.t.Fatalf("read %s: %v", path, err)
	}
	return data
}

// policy creates a policy that allows reading paths.
func (tm *team) policy(name string, paths ...string) {
	tm.t.Helper()
	var hcl strings.Builder
	for _, path := range paths {
		fmt.Fprintf(&hcl, "path %q { capabilities = [\"read\"] }\n", path)
	}
	if err := tm.Policy(tm.t.Context(), name, hcl.String()); err != nil {
		tm.t.Fatal(err)
	}
}

// refused reports whether err is a response with the status and text.
func refused(err error, status int, text string) bool {
	var e *bao.Error
	return errors.As(err, &e) && e.Status == status && strings.Contains(e.Error(), text)
}

// lease is a token with its lease.
type lease struct {
	ID        string `json:"lease_id"`
	Duration  int    `json:"lease_duration"`
	Renewable bool   `json:"renewable"`
	Data      object `json:"data"`
}

func (l lease) token() string { return l.Data["token"].(string) }

func (tm *team) creds(c bao.Client, role string) (lease, error) {
	var l lease
	return l, c.Call(tm.t.Context(), http.MethodGet, "turso/creds/"+role, nil, &l)
}

// opens checks at the database itself whether a token is valid.
func (tm *team) opens(token, sql string) error {
	return opens(tm.t.Context(), tm.stack.DatabaseURL(), token, sql)
}

func opens(ctx context.Context, url, token, sql string) error {
	body := strings.NewReader(`{"requests":[{"type":"execute","stmt":{"sql":"` + sql + `"}}]}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v2/pipeline", body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer strings.Builder
	if err := resp.Write(&answer); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || strings.Contains(answer.String(), `"type":"error"`) {
		return errors.New(answer.String())
	}
	return nil
}

func TestTokenThroughOpenBao(t *testing.T) {
	tm := newTeam(t)
	tm.write("turso/roles/app", object{"database": "app", "access": "rw"})
	tm.policy("app", "turso/creds/app")
	// The claim org_id would work, too, but this template has none.
	tm.write("auth/jwt/role/app", object{
		"role_type": "jwt", "user_claim": "sub", "bound_claims": object{"sub": tm.stack.Clerk.UserID("alice@example.test")}, "token_policies": "app",
	})
	alice, err := tm.Login(t.Context(), "jwt", object{"role": "app", "jwt": devstacktest.Token(t, tm.stack, "alice@example.test", "turso")})
	if err != nil {
		t.Fatal(err)
	}
	l, err := tm.creds(alice, "app")
	if err != nil {
		t.Fatal(err)
	}
	if l.Renewable || l.Duration > 15*60 || l.Duration < 14*60 || !strings.HasPrefix(l.ID, "turso/creds/app/") {
		t.Errorf("lease %+v", l)
	}
	if err := tm.opens(l.token(), "CREATE TABLE notes (id INTEGER)"); err != nil {
		t.Error(err)
	}
	// Narrowed by the query, as bao read turso/creds/app access=ro does.
	if l, err = tm.creds(alice, "app?access=ro&ttl=60"); err != nil || l.Data["access"] != "ro" || l.Duration > 60 {
		t.Errorf("creds = %+v, %v", l, err)
	}
	if _, err := alice.Read(t.Context(), "turso/config"); !refused(err, http.StatusForbidden, "permission denied") {
		t.Errorf("config: %v", err)
	}
	if _, err := tm.creds(tm.Client, "none"); !refused(err, http.StatusBadRequest, "there is no role none") {
		t.Errorf("no role: %v", err)
	}
}

func TestAPIKeyThroughOpenBao(t *testing.T) {
	tm := newTeam(t)
	tm.write("turso/roles/tenant", object{"database": "app-{{identity.entity.aliases." + tm.accessor("clerk") + ".metadata.org_slug}}"})
	if _, err := tm.stack.Turso.CreateDatabase("acme", "app-globex"); err != nil {
		t.Fatal(err)
	}
	tm.policy("tenant", "turso/creds/tenant")
	bob := tm.stack.Clerk.UserID("bob@example.test")
	globex := clerkGet(t, tm.stack, "/organizations/globex")["id"].(string)
	tm.write("auth/clerk/role/app", object{"bound_organizations": globex, "token_policies": "tenant", "token_ttl": "10m"})
	key := clerkPost(t, tm.stack, "/api_keys", object{"name": "bob's", "subject": bob})
	c, err := tm.Login(t.Context(), "clerk", object{"role": "app", "api_key": key["secret"]})
	if err != nil {
		t.Fatal(err)
	}
	l, err := tm.creds(c, "tenant")
	if err != nil || l.Data["database"] != "app-globex" {
		t.Errorf("creds = %+v, %v", l, err)
	}
	if err := c.Write(t.Context(), "auth/token/renew-self", object{}); err != nil {
		t.Errorf("renewal: %v", err)
	}
	clerkPost(t, tm.stack, "/api_keys/"+key["id"].(string)+"/revoke", object{})
	if err := c.Write(t.Context(), "auth/token/renew-self", object{}); err == nil {
		t.Error("a revoked key can renew a token")
	}
	if _, err := tm.Login(t.Context(), "clerk", object{"role": "app", "api_key": "ak_wrong"}); !refused(err, http.StatusForbidden, "unknown there, revoked or has expired") {
		t.Errorf("a wrong key: %v", err)
	}
	if data := tm.read("auth/clerk/config/check"); data["ok"] != true {
		t.Errorf("check: %v", data)
	}
}

func (tm *team) accessor(mount string) string {
	tm.t.Helper()
	return tm.read("sys/auth")[mount+"/"].(object)["accessor"].(string)
}

// TestLeaseEnds checks that a revocation logs what it can't do, and does what the role
// says.
func TestLeaseEnds(t *testing.T) {
	tm := newTeam(t)
	tm.write("turso/roles/app", object{"database": "app"})
	tm.write("turso/roles/own", object{"database": "app", "revoke": "rotate"})
	plain, err := tm.creds(tm.Client, "app")
	if err != nil {
		t.Fatal(err)
	}
	tm.write("sys/leases/revoke", object{"lease_id": plain.ID, "sync": true})
	if err := tm.opens(plain.token(), "SELECT 1"); err != nil {
		t.Errorf("the token is no longer valid: %v", err)
	}
	own, err := tm.creds(tm.Client, "own")
	if err != nil {
		t.Fatal(err)
	}
	tm.write("sys/leases/revoke", object{"lease_id": own.ID, "sync": true})
	for _, token := range []string{plain.token(), own.token()} {
		if err := tm.opens(token, "SELECT 1"); err == nil {
			t.Error("a token is valid after its database was rotated")
		}
	}
	if log := readFile(t, tm.Log()); !strings.Contains(log, "Turso can't revoke a single token") {
		t.Error("the server's log doesn't say what revocation can't do")
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestHelpIsComplete(t *testing.T) {
	tm := newTeam(t)
	for path, want := range map[string][]string{
		"turso":        {"config", "rotate-root", "creds/", "roles/"},
		"turso/config": {"api_token", "organization"}, "turso/roles/x": {"database", "access", "revoke"}, "turso/creds/x": {"ttl"},
		"auth/clerk": {"config", "role/", "login"}, "auth/clerk/login": {"api_key"}, "auth/clerk/role/x": {"bound_organizations", "token_policies"},
	} {
		var answer struct{ Help string }
		if err := tm.Call(t.Context(), http.MethodGet, path+"?help=1", nil, &answer); err != nil {
			t.Error(err)
		}
		if slices.ContainsFunc(want, func(word string) bool { return !strings.Contains(answer.Help, word) }) {
			t.Errorf("help of %s: %s", path, answer.Help)
		}
	}
}
