package turso

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/internal/testwait"
)

// serveVariable names the directory of a server that TestMain runs.
const serveVariable = "ZEN_TEST_SERVE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveVariable); dir != "" {
		if err := serve(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve runs a server that will be killed. It prints its address when it is ready.
func serve(dir string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s, err := New(Options{Dir: dir, Host: listener.Addr().String(), CheckpointFrames: 100})
	if err != nil {
		return err
	}
	fmt.Println("ready at", listener.Addr())
	return http.Serve(listener, s)
}

// The server is killed five times while eight clients write, in single statements and in
// transactions. An acknowledged write is there once; an unanswered one is there once, as
// a whole, or not at all.
func TestKilledUnderWriters(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Options{Dir: dir})
	must(t, err)
	must(t, s.CreateUser("alice", "alice@acme.test"))
	must(t, s.CreateOrganization(Organization{Slug: "acme", Members: []string{"alice"}}))
	_, err = s.CreateDatabase("acme", "app")
	must(t, err)
	token, err := s.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	must(t, s.Close())

	var address atomic.Value // of the server that runs
	client := &http.Client{Timeout: time.Minute}
	post := func(baton string, requests ...string) (next string, err error) {
		body := `{"baton":null,"requests":[` + strings.Join(requests, ",") + `]}`
		if baton != "" {
			body = `{"baton":"` + baton + `","requests":[` + strings.Join(requests, ",") + `]}`
		}
		req, err := http.NewRequest("POST", "http://"+address.Load().(string)+"/dbs/app/v3/pipeline", strings.NewReader(body))
		if err != nil {
			return "", err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		var answer struct {
			Baton   *string
			Results []struct {
				Type  string
				Error struct{ Message string }
			}
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return "", fmt.Errorf("status %d: %w", resp.StatusCode, err)
		}
		for _, r := range answer.Results {
			if r.Type != "ok" {
				return "", fmt.Errorf("refused: %s", r.Error.Message)
			}
		}
		if answer.Baton != nil {
			next = *answer.Baton
		}
		return next, nil
	}
	exec1 := func(sql string) string { return `{"type":"execute","stmt":{"sql":"` + sql + `"}}` }
	const closing = `{"type":"close"}`
	insert := func(writer, n, part int) string {
		return exec1(fmt.Sprintf("INSERT INTO kept VALUES (%d, %d, %d)", writer, n, part))
	}

	start := func() *exec.Cmd {
		cmd, at := startKilled(t, dir)
		address.Store(at)
		return cmd
	}
	server := start()
	_, err = post("", exec1("CREATE TABLE kept (writer INTEGER, n INTEGER, part INTEGER)"), closing)
	must(t, err)
	var (
		wg          sync.WaitGroup
		stop        atomic.Bool
		done, tried [8]sync.Map // of each writer, by n
		operations  atomic.Int64
	)
	for writer := range 8 {
		wg.Go(func() {
			for n := 0; !stop.Load(); n++ {
				tried[writer].Store(n, true)
				operations.Add(1)
				var err error
				if n%2 == 0 {
					_, err = post("", insert(writer, n, 0), closing)
				} else {
					var baton string
					if baton, err = post("", exec1("BEGIN IMMEDIATE"), insert(writer, n, 0)); err == nil {
						if baton, err = post(baton, insert(writer, n, 1)); err == nil {
							_, err = post(baton, exec1("COMMIT"), closing)
						}
					}
				}
				if err == nil {
					done[writer].Store(n, true)
				} else {
					testwait.For(t.Context(), 5*time.Millisecond) // the server is down
				}
			}
		})
	}
	goOn := func() {
		before := operations.Load()
		testwait.Until(t, "50 operations more", func() bool { return operations.Load() >= before+50 })
	}
	for range 5 {
		goOn()
		testwait.Moment(t.Context(), 0, 50*time.Millisecond)
		must(t, server.Process.Kill())
		_ = server.Wait() // killed
		server = start()
	}
	goOn()
	stop.Store(true)
	wg.Wait()
	must(t, server.Process.Kill())
	_ = server.Wait()

	s, err = New(Options{Dir: dir})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	rows := rowsOf(t, s, "SELECT writer, n, count(*), count(DISTINCT part) FROM kept GROUP BY writer, n")
	found := make(map[[2]int]bool)
	for _, r := range rows {
		writer, n, parts := int(r[0].Int), int(r[1].Int), 1+int(r[1].Int)%2
		found[[2]int{writer, n}] = true
		if _, ok := tried[writer].Load(n); !ok || int(r[2].Int) != parts || int(r[3].Int) != parts {
			t.Errorf("writer %d, %d: %d rows of %d", writer, n, r[2].Int, parts)
		}
	}
	acknowledged := 0
	for writer := range done {
		done[writer].Range(func(n, _ any) bool {
			acknowledged++
			if !found[[2]int{writer, n.(int)}] {
				t.Errorf("writer %d, %d was acknowledged and is lost", writer, n)
			}
			return true
		})
	}
	if acknowledged < 50 {
		t.Errorf("only %d operations were acknowledged", acknowledged)
	}
	t.Logf("%d operations, %d acknowledged, %d found: none lost, none duplicated", operations.Load(), acknowledged, len(found))
}

// rowsOf returns what a query finds in the database app.
func rowsOf(t *testing.T, s *Server, sql string) (rows [][]engine.Value) {
	t.Helper()
	db, err := s.paths["app"].open()
	must(t, err)
	conn, err := db.Conn(t.Context())
	must(t, err)
	defer conn.Close()
	_, err = conn.Run(t.Context(), engine.Query{SQL: sql}, engine.FullAccess, collect{&rows})
	must(t, err)
	return rows
}

// collect keeps rows of numbers.
type collect struct{ rows *[][]engine.Value }

func (collect) Columns([]engine.Column) error { return nil }

func (c collect) Row(row []engine.Value) error {
	*c.rows = append(*c.rows, slices.Clone(row))
	return nil
}

// startKilled starts a server, and returns its address.
func startKilled(t *testing.T, dir string) (cmd *exec.Cmd, address string) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ready := strings.CutPrefix(strings.TrimSpace(line), "ready at ")
	if !ready {
		t.Fatalf("the server says %q: %v", line, err)
	}
	return cmd, address
}
