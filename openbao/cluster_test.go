package openbao_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/bao"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/turso"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/testwait"
	"github.com/zen-auth/zen/internal/zen"
)

// cluster is three nodes behind a balancer.
type cluster struct {
	*team
	nodes    []*bao.Server
	balancer *httptest.Server
}

// newCluster starts three nodes with Raft, on the loopback, each unsealed and a voter.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	path := program(t)
	if err := build(); err != nil {
		t.Fatal(err)
	}
	c := &cluster{}
	for i := range 3 {
		node, err := bao.Start(t.Context(), bao.Options{Program: path, Dir: t.TempDir(), Plugins: buildDir, Node: fmt.Sprintf("node-%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := node.Kill(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Logf("%s ends with: %s", node.Log(), tail(readFile(t, node.Log())))
			}
		})
		c.nodes = append(c.nodes, node)
		if i == 0 {
			err = node.Init(t.Context())
		} else {
			err = node.Join(t.Context(), c.nodes[0])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c.awaitVoters(t)
	register(t, c.nodes[0])
	c.balancer = httptest.NewServer(c.balance())
	t.Cleanup(c.balancer.Close)
	// This asks the leader itself: a standby answers reads, but learns of a new mount a
	// moment later.
	front := &bao.Server{Client: c.nodes[0].Client}
	c.team = &team{Server: front, t: t, stack: devstacktest.Start(t, devstack.Options{})}
	c.mount()
	return c
}

func tail(text string) string { return text[max(0, len(text)-3000):] }

// awaitVoters waits until all nodes are Raft voters, which takes 20 s: if the leader is
// lost before that, there is no quorum.
func (c *cluster) awaitVoters(t *testing.T) {
	t.Helper()
	testwait.Until(t, "three voters", func() bool {
		var raft struct {
			Data struct {
				Config struct {
					Servers []struct{ Voter bool }
				}
			}
		}
		err := c.nodes[0].Call(t.Context(), http.MethodGet, "sys/storage/raft/configuration", nil, &raft)
		voters := 0
		for _, server := range raft.Data.Config.Servers {
			if server.Voter {
				voters++
			}
		}
		return err == nil && voters == 3
	})
}

// balance forwards to a node that is up and unsealed, like a load balancer that checks
// sys/health.
func (c *cluster) balance() http.Handler {
	var turn atomic.Int64
	health := &http.Client{Timeout: time.Second}
	pick := func() *url.URL {
		for range c.nodes {
			node := c.nodes[int(turn.Add(1))%len(c.nodes)]
			resp, err := health.Get(node.URL + "/v1/sys/health?standbyok=true&perfstandbyok=true")
			if err != nil {
				continue
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				to, err := url.Parse(node.URL)
				if err == nil {
					return to
				}
			}
		}
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := pick()
		if to == nil {
			http.Error(w, `{"errors":["no node is up"]}`, http.StatusServiceUnavailable)
			return
		}
		proxy := httputil.NewSingleHostReverseProxy(to)
		proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusServiceUnavailable) }
		proxy.ServeHTTP(w, r)
	})
}

// leader returns the index of the active node.
func (c *cluster) leader(t *testing.T) (leader int) {
	t.Helper()
	testwait.Until(t, "a leader", func() bool {
		for i, node := range c.nodes {
			if node.PID() == 0 {
				continue
			}
			var is struct {
				Self bool `json:"is_self"`
			}
			if err := node.Call(t.Context(), http.MethodGet, "sys/leader", nil, &is); err == nil && is.Self {
				leader = i
				return true
			}
		}
		return false
	})
	return leader
}

// buildProvider builds zen-provider-openbao and returns its directory and sum.
func buildProvider(t *testing.T) (dir, sum string) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "zen-provider-openbao")
	command := exec.Command("go", "build", "-trimpath", "-o", path, "./plugins/openbao")
	command.Dir = ".."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the provider: %v: %s", err, out)
	}
	hash := sha256.Sum256([]byte(readFile(t, path)))
	return dir, hex.EncodeToString(hash[:])
}

// patience is how long a query is retried: longer than a cluster takes to elect a new
// leader.
const patience = 60 * time.Second

// TestCluster runs queries of 16 clients through zen, with tokens of a few seconds, while
// the leader is killed, a node is sealed, and the API token is rotated.
func TestCluster(t *testing.T) {
	if os.Getenv("ZEN_TEST_CLUSTER") == "" {
		t.Skip("SKIPPED: ZEN_TEST_CLUSTER=1 tests a cluster of three nodes, which takes two minutes (make test-cluster)")
	}
	c := newCluster(t)
	admin, err := c.stack.Turso.CreateAPIToken("alice", turso.APIToken{Name: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	c.write("turso/roles/app", object{"database": "app", "access": "rw", "ttl": "5s"})
	c.policy("app", "turso/creds/app")
	var made struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		}
	}
	if err := c.Call(t.Context(), http.MethodPost, "auth/token/create", object{"policies": []string{"app"}, "ttl": "1h"}, &made); err != nil {
		t.Fatal(err)
	}
	c.URL = c.balancer.URL
	if err := c.patiently(func() error { _, err := c.creds(c.Client, "app"); return err }); err != nil {
		t.Fatal(err)
	}
	providers, sum := buildProvider(t)
	open := func(name string) *sql.DB {
		t.Helper()
		dir := t.TempDir()
		environ := append(os.Environ(), "ZEN_STORAGE=none", "ZEN_STATE_DIR="+filepath.Join(dir, "state"), "ZEN_CONFIG="+filepath.Join(dir, "config.toml"),
			"ZEN_PROVIDER=openbao", "ZEN_DATABASE="+c.stack.DatabaseURL(), "BAO_ADDR="+c.balancer.URL, "BAO_TOKEN="+made.Auth.ClientToken, "ZEN_OPENBAO__ROLE=app")
		if err := os.WriteFile(filepath.Join(dir, "config.toml"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		client, err := zen.New(zen.Options{
			Config: config.LoadOptions{Environ: environ, WorkDir: dir}, ProviderDirs: []string{providers}, Bundled: map[string]string{"openbao": sum},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close(context.Background()) })
		db, err := client.Open(t.Context(), "", libsql.Options{})
		if err != nil {
			t.Fatalf("%s: Open = %v", name, err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	first := open("the first")
	if _, err := first.ExecContext(t.Context(), "CREATE TABLE ledger (client INTEGER, entry INTEGER, PRIMARY KEY (client, entry))"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var entries [16]atomic.Int64
	var retried atomic.Int64
	for i := range entries {
		db := first
		if i%4 == 0 && i > 0 { // four processes of the provider
			db = open(fmt.Sprint(i))
		}
		clients.Go(func() {
			for ctx.Err() == nil {
				n, err := enter(t.Context(), db, i, entries[i].Load()+1, &retried)
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				entries[i].Store(n)
				testwait.For(ctx, 20*time.Millisecond)
			}
		})
	}
	// goOn waits until each client has made some more entries.
	goOn := func() {
		for i := range entries {
			before := entries[i].Load()
			testwait.Until(t, fmt.Sprintf("entries of client %d", i), func() bool { return entries[i].Load() >= before+10 || t.Failed() })
		}
	}
	goOn()
	killed := c.leader(t)
	if err := c.nodes[killed].Kill(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := c.patiently(func() error { _, err := c.creds(c.Client, "app"); return err }); err != nil {
		t.Fatal(err)
	}
	t.Logf("a token again %v after the leader was killed", time.Since(began).Round(100*time.Millisecond))
	if err := c.nodes[killed].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.nodes[killed].Unseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.write("turso/config/rotate-root", object{"api_token": admin})
	sealed := c.leader(t)
	if err := c.nodes[sealed].Write(t.Context(), "sys/seal", object{}); err != nil {
		t.Fatal(err)
	}
	if err := c.patiently(func() error { _, err := c.creds(c.Client, "app"); return err }); err != nil {
		t.Fatal(err)
	}
	if err := c.patiently(func() error { return c.Write(t.Context(), "turso/config/rotate-root", object{"api_token": admin}) }); err != nil {
		t.Fatal(err)
	}
	if err := c.nodes[sealed].Unseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	goOn()
	stop()
	clients.Wait()
	var want int64
	for i := range entries {
		want += entries[i].Load()
	}
	var got int64
	if err := first.QueryRowContext(t.Context(), "SELECT count(*) FROM ledger").Scan(&got); err != nil || got != want {
		t.Errorf("the ledger has %d entries of %d, %v", got, want, err)
	}
	t.Logf("%d entries of 16 clients, with %d retries", want, retried.Load())
}

// enter makes the next entry, and reads the client's entries back, row by row. Failures
// are retried until the deadline; an entry is made only once even if its first attempt
// succeeded unnoticed.
func enter(ctx context.Context, db *sql.DB, client int, next int64, retried *atomic.Int64) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := func() error {
			if _, err := db.ExecContext(ctx, "INSERT OR IGNORE INTO ledger VALUES (?, ?)", client, next); err != nil {
				return err
			}
			rows, err := db.QueryContext(ctx, "SELECT entry FROM ledger WHERE client = ? ORDER BY entry", client)
			if err != nil {
				return err
			}
			defer rows.Close()
			var n, entry int64
			for rows.Next() {
				if err := rows.Scan(&entry); err != nil {
					return err
				}
				n++
			}
			if err := rows.Err(); err != nil {
				return err
			}
			if n != next || entry != next {
				return fmt.Errorf("%w: %d entries, the last %d, want %d", provider.ErrConfig, n, entry, next)
			}
			return nil
		}()
		if err == nil {
			return next, nil
		}
		if ctx.Err() != nil {
			return 0, err
		}
		retried.Add(1)
		testwait.For(ctx, 200*time.Millisecond)
	}
}
