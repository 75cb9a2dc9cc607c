package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/programs"
)

// countingProxy is a proxy in front of a database. It counts the tokens that it receives, and
// refuses expired ones soon: Turso and its stand-in accept them for another minute.
type countingProxy struct {
	forward httputil.ReverseProxy

	mu     sync.Mutex // guards tokens
	tokens map[[sha256.Size]byte]int
}

// expiryLeeway is the time that a token may need from its issuer to the database on a busy
// machine with the race detector.
const expiryLeeway = 2 * time.Second

// newCountingProxy starts such a proxy, and returns it and its URL.
func newCountingProxy(t *testing.T, database string) (*countingProxy, string) {
	t.Helper()
	to, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	w := &countingProxy{tokens: map[[sha256.Size]byte]int{}}
	w.forward.Rewrite = func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, to.Host
	}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return w, server.URL + to.Path
}

func (w *countingProxy) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	authorization := r.Header.Get("Authorization")
	w.mu.Lock()
	w.tokens[sha256.Sum256([]byte(authorization))]++
	w.mu.Unlock()
	var claims jwt.RegisteredClaims
	_, _, err := jwt.NewParser().ParseUnverified(strings.TrimPrefix(authorization, "Bearer "), &claims)
	if err != nil || claims.ExpiresAt == nil || time.Since(claims.ExpiresAt.Time) > expiryLeeway {
		http.Error(out, `{"error":"JWT error: ExpiredSignature"}`, http.StatusBadRequest)
		return
	}
	w.forward.ServeHTTP(out, r)
}

func (w *countingProxy) count() (tokens, requests int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.tokens {
		requests += n
	}
	return len(w.tokens), requests
}

// The spike's gotcha 2, for foreign clients: each keeps the one token that it was created
// with, and works through zen proxy while the database's tokens expire within seconds. The
// writers stop at the first failed statement.
func TestForeignClientsOutliveTokens(t *testing.T) {
	if testing.Short() {
		t.Skip("needs foreign clients; make test-all runs it")
	}
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	clients := "../../devstack/clients"
	t.Run("libsql-client-go", func(t *testing.T) {
		t.Parallel()
		writer := filepath.Join(t.TempDir(), "writer"+programs.Exe)
		if err := runIn(filepath.Join(clients, "libsqlclientgo"), "go", "build", "-o", writer, "./writer"); err != nil {
			t.Fatal(err)
		}
		proxied(t, bin, writer)
	})
	t.Run("@libsql/client", func(t *testing.T) {
		t.Parallel()
		dir := nodeClients(t, "writer.mjs")
		if more := proxied(t, bin, "node", filepath.Join(dir, "writer.mjs")); !strings.Contains(more, "takes its own bearer") {
			t.Errorf("a request with another bearer: %q", more)
		}
	})
}

// nodeClients returns a directory with one of the JavaScript programs and its dependencies.
func nodeClients(t *testing.T, program string) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("SKIPPED: %s is missing, so @libsql/client can't be tried. Install Node.js 20 or later.", tool)
		}
	}
	dir, locks := t.TempDir(), []string{"package.json", "package-lock.json"}
	for _, name := range append(locks, program) {
		data, err := os.ReadFile(filepath.Join("../../devstack/clients/node", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := install(dir, "node_modules", locks, npmCI...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// proxiedHome is a home that reaches the stack's database through a counting proxy.
type proxiedHome struct {
	t       *testing.T
	bin     string
	dir     string
	environ []string
}

// newProxiedHome signs in. The configuration also names the proxy as the database's URL.
func newProxiedHome(t *testing.T, bin string, stack *devstack.Stack, address string) *proxiedHome {
	t.Helper()
	b := &proxiedHome{t: t, bin: bin, dir: t.TempDir()}
	b.environ = inStack(t, stack, b.dir, append(os.Environ(), "CI=", "BROWSER=zen dev browse --user alice",
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH")))
	config, err := os.OpenFile(filepath.Join(b.dir, "zen", "config.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	if _, err := fmt.Fprintf(config, "\n[profiles.seen]\ndatabase = %q\ndatabase_id = %q\n", address, stack.DatabaseID()); err != nil {
		t.Fatal(err)
	}
	b.zen("login", "--provider", "clerk")
	return b
}

func (b *proxiedHome) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "zen"+programs.Exe), args...)
	cmd.Dir, cmd.Env = b.dir, b.environ
	return cmd
}

func (b *proxiedHome) zen(args ...string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	cmd := b.command(ctx, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("zen %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// proxied signs in, runs a writer with zen proxy, and compares its row count with the
// database's. It returns the rest of the writer's output.
func proxied(t *testing.T, bin string, writer ...string) string {
	t.Helper()
	life, seconds, least := 2*time.Second, "6", 3
	if raceEnabled { // a renewal takes two seconds then
		life, seconds, least = 6*time.Second, "8", 2
	}
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: life})
	seen, address := newCountingProxy(t, stack.DatabaseURL())
	home := newProxiedHome(t, bin, stack, address)
	said, more, _ := strings.Cut(home.zen(append(append([]string{"proxy", "--database", address, "--"}, writer...), seconds)...), "\n")
	tokens, requests := seen.count()
	t.Logf("%s rows, %d requests with %d tokens", said, requests, tokens)
	if tokens < least || requests < 100 {
		t.Errorf("%d requests with %d tokens", requests, tokens)
	}
	if rows := strings.TrimSpace(home.zen("db", "query", "--format", "csv", "SELECT count(*) AS n FROM t")); rows != "n\n"+said {
		t.Errorf("the database has %q rows, want %s", rows, said)
	}
	return more
}
