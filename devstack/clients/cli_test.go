// Package clients_test tests the stack with real clients, unmodified, as their registries
// have them.
package clients_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/clients/tursotest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/turso"
)

// cli is the real turso CLI with its own configuration.
type cli struct {
	t    *testing.T
	path string
	env  []string
}

// newCLI finds the turso CLI: ZEN_TEST_TURSO_CLI names it, or it is on PATH. It
// can't be installed by the test, since the Go module proxy does not carry it.
func newCLI(t *testing.T, s *tursotest.Stack) *cli {
	t.Helper()
	if testing.Short() {
		t.Skip("make test-all runs third-party clients")
	}
	path := os.Getenv("ZEN_TEST_TURSO_CLI")
	if path == "" {
		var err error
		if path, err = exec.LookPath("turso"); err != nil {
			t.Skip("SKIPPED: the turso CLI is missing. Put it on PATH, or name it in ZEN_TEST_TURSO_CLI.")
		}
	}
	c := &cli{t: t, path: path, env: append(os.Environ(),
		"TURSO_API_BASEURL="+s.URL, "TURSO_API_TOKEN="+s.APIToken, "TURSO_CONFIG_FOLDER="+t.TempDir())}
	c.ok("org", "switch", "acme")
	return c
}

func (c *cli) run(args ...string) (out string, err error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Env = c.env
	cmd.Stdin = strings.NewReader("y\n") // answers confirmation prompts
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	return strings.TrimSpace(b.String()), err
}

// ok runs a command that must succeed and print all of want.
func (c *cli) ok(args ...string) func(want ...string) string {
	c.t.Helper()
	out, err := c.run(args...)
	if err != nil {
		c.t.Errorf("turso %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return func(want ...string) string {
		c.t.Helper()
		for _, w := range want {
			if !regexp.MustCompile(w).MatchString(out) {
				c.t.Errorf("turso %s: the output lacks %q:\n%s", strings.Join(args, " "), w, out)
			}
		}
		return out
	}
}

// fails runs a command that must fail with exactly that line.
func (c *cli) fails(want string, args ...string) {
	c.t.Helper()
	out, err := c.run(args...)
	if err == nil || out != want {
		c.t.Errorf("turso %s: %v\n%s\nwant %s", strings.Join(args, " "), err, out, want)
	}
}

func TestTursoCLI(t *testing.T) {
	s := tursotest.New(t, turso.Options{})
	c := newCLI(t, s)
	host := regexp.QuoteMeta(strings.TrimPrefix(s.URL, "http://"))

	c.ok("auth", "whoami")(`^alice$`)
	c.ok("org", "list")(`acme +acme`)
	c.ok("plan", "show")(`Plan: starter`, `databases +1 +100`)
	c.ok("db", "list")(`app .*libsql://` + host + `/dbs/app`)
	c.ok("db", "show", "app")(`Group: +default`, `ID: +[0-9a-f-]{36}`)
	c.ok("db", "show", "app", "--url")(`^libsql://` + host + `/dbs/app$`)
	c.ok("db", "show", "app", "--http-url")(`^http://` + host + `/dbs/app$`)
	c.fails("Error: database nope not found. List known databases using turso db list", "db", "show", "nope")

	c.ok("org", "jwks", "save", "clerk", s.Keys)(`JWKS clerk saved for organization acme`)
	c.ok("org", "jwks", "save", "Zedi Clerk", s.Keys)()
	c.fails("Error: failed to save org jwks: jwks count limit(2) exceeded", "org", "jwks", "save", "third", s.Keys)
	c.ok("org", "jwks", "remove", "Zedi Clerk")(`removed from organization acme`)
	c.ok("org", "jwks", "list")(`clerk +` + regexp.QuoteMeta(s.Keys))
	c.ok("org", "jwks", "template", "--database", "app", "--scope", "full-access")(`^\{"a":"rw","id":"[0-9a-f-]{36}","perm":\[\],"rid":"[0-9a-f-]{36}"\}$`)
	c.ok("org", "jwks", "template", "--database", "app", "--scope", "read-only", "-p", "words:data_read,data_add")(
		`"a":"ro"`, `"perm":\[\{"t":\["words"\],"a":\["data_read","data_add"\]\}\]`)

	token := c.ok("db", "tokens", "create", "app")(`^eyJ`)
	readOnly := c.ok("db", "tokens", "create", "app", "-e", "3d", "-r", "-p", "all:data_read")(`^eyJ`)
	c.ok("db", "shell", "app", "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, '2024-01-02'), (2, NULL)")()
	c.ok("db", "shell", "app", "SELECT * FROM t")(`1 +2024-01-02`, `2 +NULL`)
	c.fails("Error: failed to execute SQL:\nSQLite error: no such table: nope", "db", "shell", "app", "SELECT * FROM nope")
	url := s.URL + "/dbs/app?authToken="
	c.ok("db", "shell", url+token, "SELECT count(*) FROM t")(`2`)
	c.fails("Error: failed to execute SQL:\nOperation was blocked: SQL write operations are forbidden (current session doesn't have write permission)",
		"db", "shell", url+readOnly, "DELETE FROM t")

	c.ok("group", "tokens", "create", "default")(`^eyJ`)
	c.ok("db", "tokens", "create", "app", "--group", "-e", "1d")(`^eyJ`)
	c.ok("db", "tokens", "create", "app", "--attach", "app")(`^eyJ`)
	c.ok("db", "shell", "app", ".dump")(`CREATE TABLE IF NOT EXISTS t`, `INSERT INTO "t"\("a","b"\) VALUES\(1,'2024-01-02'\);`)
	exported := filepath.Join(t.TempDir(), "exported.db")
	c.ok("db", "export", "app", "--output-file", exported)(`Exported database to`)
	if b, err := os.ReadFile(exported); err != nil || !bytes.HasPrefix(b, []byte("SQLite format 3\x00")) {
		t.Errorf("export: %v", err)
	}
	c.ok("db", "config", "attach", "allow", "app")()
	c.ok("db", "config", "attach", "show", "app")(`on`)
	c.ok("group", "create", "two", "--location", "local")(`Created group two`)
	c.ok("group", "list")(`default`, `two`)
	c.ok("group", "destroy", "two", "--yes")(`Destroyed group two`)

	c.ok("group", "tokens", "invalidate", "default", "--yes")(`Tokens invalidated`)
	if out, err := c.run("db", "shell", url+token, "SELECT 1"); err == nil || !strings.Contains(out, "error code 401: Unauthorized: `unauthorized access attempt on database: invalid JWT token: role was invalidated after token was issued") {
		t.Errorf("shell with an invalidated token: %v\n%s", err, out)
	}
	c.ok("db", "create", "two", "--group", "default")(`Created database two`)
	c.ok("db", "destroy", "two", "--yes")(`Destroyed database two`)
	c.ok("auth", "api-tokens", "mint", "ci")(`^eyJ`)
	c.ok("auth", "api-tokens", "list")(`ci`)
}

// The commands and their output are those of a Turso user's report.
func TestTursoCLIWithJWKSStuck(t *testing.T) {
	s := tursotest.New(t, turso.Options{})
	c := newCLI(t, s)
	c.ok("org", "jwks", "save", "Clerk Production", "https://clerk.type-flow.app/.well-known/jwks.json")()
	c.ok("org", "jwks", "save", "Zedi Clerk", s.Keys)()
	must(t, s.Faults.Switch(fault.JWKSStuck, true))

	out := c.ok("org", "jwks", "list")()
	if lines := strings.Split(out, "\n"); len(lines) != 4 {
		t.Errorf("not three registrations:\n%s", out)
	}
	for _, name := range []string{"Zedi Clerk", "Clerk Production"} {
		c.fails("Error: failed to remove org jwks: internal server error", "org", "jwks", "remove", name)
	}
	c.fails("Error: failed to save org jwks: jwks count limit(2) exceeded", "org", "jwks", "save", "Zedi Clerk Dev", s.Keys)
	c.ok("db", "tokens", "create", "app", "--expiration", "1d")(`^eyJ`)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The shell accepts a URL with a token in place of a database name.
func TestTursoCLIWays(t *testing.T) {
	c := newCLI(t, tursotest.New(t, turso.Options{}))
	for _, w := range tursotest.Ways(t) {
		address := w.URL + "?authToken=" + w.Token
		c.ok("db", "shell", address, "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, '2024-01-02')")()
		c.ok("db", "shell", address, "SELECT * FROM t")(`1 +2024-01-02`)
		c.ok("db", "shell", address, ".dump")(`CREATE TABLE IF NOT EXISTS t \(a INT, b TEXT\)`, `INSERT INTO "t".* VALUES\(1,`)
		c.ok("db", "shell", address, "DROP TABLE t")()
	}
}
