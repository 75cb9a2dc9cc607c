package cli

import (
	"bytes"
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
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/testwait"
)

// Two clients of Turso Sync write into a table in which a row could be twice, push and
// pull, while zen proxy is killed in the middle of it, again and again, and tokens of
// seconds come and go. In the end everybody has each row once.
func TestSyncSurvivesKilledProxies(t *testing.T) {
	if testing.Short() {
		t.Skip("make test-all has the clients of others")
	}
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	clients := make([]*synced.Client, len(synced.Languages))
	for i, language := range synced.Languages { // which may skip the test
		clients[i] = synced.Start(t, language, "../../devstack/clients/synced")
	}
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: 6 * time.Second})
	dir := t.TempDir()
	environ := inStack(t, stack, dir, append(os.Environ(), "CI=", "BROWSER=zen dev browse --user alice",
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH")))
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, "zen"+programs.Exe), args...)
		cmd.Dir, cmd.Env = dir, environ
		return cmd
	}
	zen := func(args ...string) string {
		t.Helper()
		cmd := command(args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("zen %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
		return strings.TrimSpace(string(out))
	}
	zen("login", "--provider", "clerk")
	zen("db", "query", "CREATE TABLE ledger (client TEXT, n INTEGER, pad TEXT)")

	file := filepath.Join(dir, "proxy.env")
	start := func() *exec.Cmd {
		t.Helper()
		cmd := command("proxy", "--keep", "--env-file", file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	proxy := start()
	defer func() { _ = proxy.Wait() }()
	defer func() { _ = proxy.Process.Kill() }()
	var o synced.Options
	testwait.Until(t, "the proxy has no address", func() bool {
		b, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
			switch value = strings.Trim(value, `'"`); name {
			case "TURSO_DATABASE_URL":
				o.URL = value
			case "TURSO_AUTH_TOKEN":
				o.Token = value
			}
		}
		return o.URL != "" && o.Token != ""
	})
	reached := func() bool {
		req, err := http.NewRequestWithContext(t.Context(), "GET", o.URL+"/v2", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	testwait.Until(t, "the proxy doesn't answer", reached)

	// Each client writes rounds of rows, and has to push and pull each.
	const rounds, rows = 25, 4
	o.Poll = 50
	var failures, going atomic.Int32
	going.Store(int32(len(clients)))
	ended := make(chan error, len(clients))
	for i, c := range clients {
		if err := c.Open(o); err != nil {
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
				for round := range rounds {
					for n := range rows {
						if err := c.Run("INSERT INTO ledger VALUES (?, ?, hex(zeroblob(600)))", synced.Languages[i], round*rows+n); err != nil {
							return err
						}
					}
					if err := insist("pushes", c.Push); err != nil {
						return err
					}
					if err := insist("pulls", func() error { _, err := c.Pull(); return err }); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	kills := 0
	for going.Load() > 0 {
		testwait.Moment(t.Context(), 20*time.Millisecond, 400*time.Millisecond)
		if err := proxy.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = proxy.Wait() // it was killed
		kills++
		proxy = start()
		testwait.Until(t, "the proxy doesn't answer again", reached)
	}
	for range clients {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		return
	}
	t.Logf("%d kills, which %d calls of the clients met", kills, failures.Load())
	if kills < 3 {
		t.Errorf("%d kills", kills)
	}

	const each = "SELECT client, count(*), count(DISTINCT n), min(n), max(n) FROM ledger GROUP BY client ORDER BY client"
	want := fmt.Sprintf("client,count(*),count(DISTINCT n),min(n),max(n)\nnode,%[1]d,%[1]d,0,%[2]d\npython,%[1]d,%[1]d,0,%[2]d", rounds*rows, rounds*rows-1)
	if got := zen("db", "query", "--format", "csv", each); got != want {
		t.Errorf("the server has\n%s, want\n%s", got, want)
	}
	wantRows := fmt.Sprintf(`[["node",%[1]d,%[1]d,0,%[2]d],["python",%[1]d,%[1]d,0,%[2]d]]`, rounds*rows, rounds*rows-1)
	for i, c := range clients {
		if _, err := c.Pull(); err != nil {
			t.Error(err)
		}
		if got, err := c.Rows(each); err != nil || got != wantRows {
			t.Errorf("%s has %s (%v), want %s", synced.Languages[i], got, err, wantRows)
		}
	}
}

// connectionLost reports whether a client says that its server was gone, as both say it.
func connectionLost(err error) bool {
	for _, text := range []string{"fetch error", "network error", "http error", "unexpected end of protobuf"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
