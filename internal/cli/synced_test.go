package cli

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/clients/synced"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/testwait"
)

// syncMachine is a signed-in machine with zen proxy in front of the stack's database.
type syncMachine struct {
	t       *testing.T
	bin     string
	dir     string
	environ []string
	file    string // of --env-file
	clients []*synced.Client
	stack   *devstack.Stack
	proxy   *exec.Cmd
	options synced.Options
}

// newSyncMachine starts a client in each language, and what they need.
func newSyncMachine(t *testing.T, o devstack.Options) *syncMachine {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		t.Skip("needs foreign clients; make test-all runs it")
	}
	m := &syncMachine{t: t, dir: t.TempDir()}
	var err error
	if m.bin, err = binaries(); err != nil {
		t.Fatal(err)
	}
	for _, language := range synced.Languages { // skips the test if a language is missing
		m.clients = append(m.clients, synced.Start(t, language, "../../devstack/clients/synced"))
	}
	m.stack = devstacktest.Start(t, o)
	m.environ = inStack(t, m.stack, m.dir, append(os.Environ(), "CI=", "BROWSER=zen dev browse --user alice",
		"PATH="+m.bin+string(os.PathListSeparator)+os.Getenv("PATH")))
	m.file = filepath.Join(m.dir, "proxy.env")
	m.zen("login", "--provider", "clerk")
	m.start()
	t.Cleanup(m.kill)
	testwait.Until(t, "waiting for the proxy's address", func() bool {
		b, err := os.ReadFile(m.file)
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
			switch value = strings.Trim(value, `'"`); name {
			case "TURSO_DATABASE_URL":
				m.options.URL = value
			case "TURSO_AUTH_TOKEN":
				m.options.Token = value
			}
		}
		return m.options.URL != "" && m.options.Token != ""
	})
	testwait.Until(t, "waiting for the proxy", m.reached)
	return m
}

func (m *syncMachine) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(m.bin, "zen"+programs.Exe), args...)
	cmd.Dir, cmd.Env = m.dir, m.environ
	return cmd
}

func (m *syncMachine) zen(args ...string) string {
	m.t.Helper()
	cmd := m.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("zen %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// start starts the proxy, which uses the same address each time.
func (m *syncMachine) start() {
	m.t.Helper()
	m.proxy = m.command("proxy", "--keep", "--env-file", m.file)
	if err := m.proxy.Start(); err != nil {
		m.t.Fatal(err)
	}
}

// kill kills the proxy without a shutdown.
func (m *syncMachine) kill() {
	_ = m.proxy.Process.Kill()
	_ = m.proxy.Wait()
}

// reached reports whether the proxy responds.
func (m *syncMachine) reached() bool {
	req, err := http.NewRequestWithContext(context.Background(), "GET", m.options.URL+"/v2", nil)
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Long-polling pulls are refused when their token expires, at least three times, and finally
// return the change: the session doesn't take these refusals for a rejection of its tokens.
func TestSyncPollsOutliveTokens(t *testing.T) {
	m := newSyncMachine(t, devstack.Options{TokenLifetime: 2 * time.Second, Faults: []string{fault.PollExpires, fault.ExpiredAs401}})
	m.zen("db", "query", "CREATE TABLE news (a)")
	m.options.Poll = 120_000
	pulls := make(chan error, len(m.clients))
	for i, c := range m.clients {
		if err := c.Open(m.options); err != nil {
			t.Fatal(err)
		}
		go func() {
			news, err := c.Pull()
			if err != nil || !news {
				err = fmt.Errorf("%s: news %v, %w", synced.Languages[i], news, err)
			}
			pulls <- err
		}()
	}
	refused := func() (n int) {
		for _, r := range m.stack.Requests() {
			if strings.HasSuffix(r.Path, "/pull-updates") && r.Status == http.StatusUnauthorized {
				n++
			}
		}
		return n
	}
	testwait.Until(t, "waiting for polls to outlive their token", func() bool { return refused() >= 3*len(m.clients) || len(pulls) > 0 })
	m.zen("db", "query", "INSERT INTO news VALUES (1)")
	for range m.clients {
		if err := <-pulls; err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d refusals", refused())
}

// Two clients of Turso Sync write to a table without a unique key, push and pull, while zen
// proxy is killed again and again and tokens expire within seconds. In the end every copy has
// each row once.
func TestSyncSurvivesKilledProxies(t *testing.T) {
	m := newSyncMachine(t, devstack.Options{TokenLifetime: 6 * time.Second})
	m.zen("db", "query", "CREATE TABLE ledger (client TEXT, n INTEGER, pad TEXT)")

	// Each client writes rounds of rows, and pushes and pulls after each round, until the proxy
	// was killed some times.
	const rounds, rows, wantKills = 25, 4, 3
	m.options.Poll = 50
	var failures, going, kills atomic.Int32
	written := make([]int, len(m.clients))
	going.Store(int32(len(m.clients)))
	ended := make(chan error, len(m.clients))
	for i, c := range m.clients {
		if err := c.Open(m.options); err != nil {
			t.Fatal(err)
		}
		go func() {
			defer going.Add(-1)
			ended <- func() error {
				insist := func(what string, do func() error) error {
					for {
						err := do()
						if err == nil || t.Context().Err() != nil {
							return err
						}
						if !connectionLost(err) {
							return fmt.Errorf("%s %s: %w", synced.Languages[i], what, err)
						}
						failures.Add(1)
						testwait.For(t.Context(), 20*time.Millisecond)
					}
				}
				for round := 0; round < rounds || kills.Load() < wantKills; round++ {
					for range rows {
						if err := c.Run("INSERT INTO ledger VALUES (?, ?, hex(zeroblob(600)))", synced.Languages[i], written[i]); err != nil {
							return err
						}
						written[i]++
					}
					if err := insist("push", c.Push); err != nil {
						return err
					}
					if err := insist("pull", func() error { _, err := c.Pull(); return err }); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for going.Load() > 0 {
		testwait.Moment(t.Context(), 20*time.Millisecond, 400*time.Millisecond)
		m.kill()
		kills.Add(1)
		m.start()
		testwait.Until(t, "waiting for the restarted proxy", m.reached)
	}
	for range m.clients {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		return
	}
	t.Logf("%d kills, %d calls of the clients failed, %d rows", kills.Load(), failures.Load(), written)

	const each = "SELECT client, count(*), count(DISTINCT n), min(n), max(n) FROM ledger GROUP BY client ORDER BY client"
	node, python := written[0], written[1] // in the order of synced.Languages
	want := fmt.Sprintf("client,count(*),count(DISTINCT n),min(n),max(n)\nnode,%[1]d,%[1]d,0,%[2]d\npython,%[3]d,%[3]d,0,%[4]d", node, node-1, python, python-1)
	if got := m.zen("db", "query", "--format", "csv", each); got != want {
		t.Errorf("the server has\n%s, want\n%s", got, want)
	}
	wantRows := fmt.Sprintf(`[["node",%[1]d,%[1]d,0,%[2]d],["python",%[3]d,%[3]d,0,%[4]d]]`, node, node-1, python, python-1)
	for i, c := range m.clients {
		if _, err := c.Pull(); err != nil {
			t.Error(err)
		}
		if got, err := c.Rows(each); err != nil || got != wantRows {
			t.Errorf("%s has %s (%v), want %s", synced.Languages[i], got, err, wantRows)
		}
	}
}

// connectionLost reports whether an error of either client says that the server was
// unreachable.
func connectionLost(err error) bool {
	for _, text := range []string{"fetch error", "network error", "http error", "unexpected end of protobuf"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
