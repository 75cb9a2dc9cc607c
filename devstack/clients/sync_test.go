package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/clients/synced"
	"github.com/zen-auth/zen/devstack/clients/tursotest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/turso"
	"github.com/zen-auth/zen/internal/gateway"
	"github.com/zen-auth/zen/internal/transport"
)

// syncStack is a stack whose generations are short, with a ledger in its database, and a
// gateway before it.
type syncStack struct {
	*tursotest.Stack
	t   *testing.T
	url string
}

func newSyncStack(t *testing.T) *syncStack {
	s := &syncStack{tursotest.New(t, turso.Options{CheckpointFrames: 24}), t, ""}
	must(t, s.RegisterJWKS("acme", "clerk", s.Keys))
	s.url = s.URL + "/dbs/app"
	s.sql("CREATE TABLE ledger (client TEXT, n INTEGER)") // in which a row can be twice
	s.sql("CREATE TABLE kept (id TEXT PRIMARY KEY, v)")
	return s
}

// sql runs a statement directly on the server, and returns its rows.
func (s *syncStack) sql(statement string) string {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"requests": []any{map[string]any{"type": "execute", "stmt": map[string]string{"sql": statement}}}})
	must(s.t, err)
	req, err := http.NewRequestWithContext(s.t.Context(), "POST", s.url+"/v2/pipeline", bytes.NewReader(body))
	must(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.JWT(s.t, turso.TokenOptions{}))
	resp, err := http.DefaultClient.Do(req)
	must(s.t, err)
	defer resp.Body.Close()
	var out struct {
		Results []struct {
			Response struct {
				Result struct{ Rows [][]struct{ Value any } }
			}
			Error struct{ Message string }
		}
	}
	must(s.t, json.NewDecoder(resp.Body).Decode(&out))
	if e := out.Results[0].Error.Message; e != "" {
		s.t.Fatalf("%s: %s", statement, e)
	}
	var rows []string
	for _, row := range out.Results[0].Response.Result.Rows {
		var values []string
		for _, v := range row {
			values = append(values, fmt.Sprint(v.Value))
		}
		rows = append(rows, strings.Join(values, "|"))
	}
	return strings.Join(rows, " ")
}

// shortLived issues tokens with a lifetime of two seconds, and counts them.
type shortLived struct {
	s    *syncStack
	life time.Duration
	ro   bool
	made atomic.Int32
	next chan struct{} // a token was made
}

func (l *shortLived) Token(context.Context) (provider.Token, error) {
	token := provider.NewSecret(l.s.JWT(l.s.t, turso.TokenOptions{Lifetime: l.life, ReadOnly: l.ro}))
	l.made.Add(1)
	select {
	case l.next <- struct{}{}:
	default:
	}
	return provider.Token{Value: token, Expires: time.Now().Add(l.life)}, nil
}

func (l *shortLived) Renew(ctx context.Context, _ provider.Token) (provider.Token, error) {
	return l.Token(ctx)
}

// proxy starts what zen proxy runs, with tokens of a given lifetime.
func (s *syncStack) proxy(life time.Duration, readOnly bool) (synced.Options, *shortLived) {
	s.t.Helper()
	address, err := url.Parse(s.url)
	must(s.t, err)
	source := &shortLived{s: s, life: life, ro: readOnly, next: make(chan struct{}, 64)}
	access := provider.AccessReadWrite
	if readOnly {
		access = provider.AccessReadOnly
	}
	database := s.Databases("acme")[0]
	base := http.DefaultTransport.(*http.Transport).Clone()
	s.t.Cleanup(base.CloseIdleConnections)
	g, err := gateway.Listen(s.t.Context(), gateway.Config{Address: address, Transport: transport.New(
		transport.Patient(base), source, provider.Target{URL: s.url, DatabaseID: database.ID}, address, access)})
	must(s.t, err)
	s.t.Cleanup(func() { must(s.t, g.Close(context.Background())) })
	return synced.Options{URL: g.URL(), Token: g.Bearer().Reveal()}, source
}

func open(t *testing.T, language string, o synced.Options) *synced.Client {
	t.Helper()
	c := synced.Start(t, language, "synced")
	must(t, c.Open(o))
	return c
}

func rows(t *testing.T, c *synced.Client, sql, want string) {
	t.Helper()
	got, err := c.Rows(sql)
	if err != nil || got != want {
		t.Errorf("%s: Rows = %s (%v), want %s", sql, got, err, want)
	}
}

// bothWays runs a test directly against the stack and through the gateway, with tokens
// that expire all the time.
func bothWays(t *testing.T, test func(t *testing.T, s *syncStack, o synced.Options)) {
	for _, way := range []string{"exported", "proxy"} {
		t.Run(way, func(t *testing.T) {
			s := newSyncStack(t)
			o := synced.Options{URL: s.url, Token: s.JWT(t, turso.TokenOptions{Lifetime: time.Hour})}
			if way == "proxy" {
				o, _ = s.proxy(2*time.Second, false)
			}
			test(t, s, o)
		})
	}
}

// Two clients, one in each language, and the server write to the same tables.
func TestSync(t *testing.T) {
	bothWays(t, func(t *testing.T, s *syncStack, o synced.Options) {
		s.sql("INSERT INTO kept VALUES ('server', 1)")
		node, python := open(t, "node", o), open(t, "python", o)
		rows(t, node, "SELECT id, v FROM kept", `[["server",1]]`)
		rows(t, python, "SELECT id, v FROM kept", `[["server",1]]`)

		must(t, node.Run("INSERT INTO kept VALUES (?, ?)", "node", 2))
		must(t, node.Run("UPDATE kept SET v = 'changed' WHERE id = 'server'"))
		must(t, python.Run("INSERT INTO kept VALUES (?, ?)", "python", 3.5))
		must(t, python.Run("INSERT INTO ledger VALUES ('python', 1)"))
		must(t, node.Push())
		must(t, python.Push())
		must(t, python.Push()) // nothing is sent twice
		if got := s.sql("SELECT id, v FROM kept ORDER BY id"); got != "node|2 python|3.5 server|changed" {
			t.Errorf("the server has %s", got)
		}
		const all = `[["node",2],["python",3.5],["server","changed"]]`
		for name, c := range map[string]*synced.Client{"node": node, "python": python} {
			if news, err := c.Pull(); err != nil || !news {
				t.Errorf("%s: news %v, %v", name, news, err)
			}
			rows(t, c, "SELECT id, v FROM kept ORDER BY id", all)
			rows(t, c, "SELECT * FROM ledger", `[["python",1]]`)
			if news, err := c.Pull(); err != nil || news {
				t.Errorf("%s: news %v, %v", name, news, err)
			}
		}

		// The server has a new table, and the client has rows that aren't pushed yet.
		s.sql("CREATE TABLE later (a)")
		s.sql("INSERT INTO later VALUES (x'00ff'), ('text'), (NULL)")
		must(t, node.Run("INSERT INTO ledger VALUES ('node', 1)"))
		_, err := node.Pull()
		must(t, err)
		rows(t, node, "SELECT typeof(a) FROM later ORDER BY rowid", `[["blob"],["text"],["null"]]`)
		rows(t, node, "SELECT * FROM ledger ORDER BY client", `[["node",1],["python",1]]`)
		must(t, node.Push())

		// The last push wins.
		must(t, node.Run("UPDATE kept SET v = 'of node' WHERE id = 'server'"))
		must(t, python.Run("UPDATE kept SET v = 'of python' WHERE id = 'server'"))
		must(t, python.Push())
		must(t, node.Push())
		if got := s.sql("SELECT v FROM kept WHERE id = 'server'"); got != "of node" {
			t.Errorf("%s won", got)
		}
		// A client creates a table with typical SQLite features.
		must(t, python.Run("CREATE TABLE own (id INTEGER PRIMARY KEY, name TEXT UNIQUE, day DATE DEFAULT '2024-01-02')"))
		must(t, python.Run("CREATE INDEX own_day ON own (day)"))
		must(t, python.Run("INSERT INTO own (name) VALUES ('a'), ('b')"))
		must(t, python.Push())
		_, err = node.Pull()
		must(t, err)
		rows(t, node, "SELECT * FROM own", `[[1,"a","2024-01-02"],[2,"b","2024-01-02"]]`)
		if got := s.sql("PRAGMA integrity_check"); got != "ok" {
			t.Errorf("the server says %s", got)
		}

		// More than a generation, up and down.
		must(t, node.Do("checkpoint", nil, nil))
		for i := range 40 {
			must(t, node.Run("INSERT INTO ledger VALUES ('many', ?)", i))
			if i%10 == 9 {
				must(t, node.Push())
				s.sql("INSERT INTO later VALUES (zeroblob(9000))")
				_, err := python.Pull()
				must(t, err)
				rows(t, python, "SELECT count(*), count(DISTINCT n) FROM ledger WHERE client = 'many'", fmt.Sprintf("[[%d,%d]]", i+1, i+1))
				rows(t, python, "SELECT count(*) FROM later", fmt.Sprintf("[[%d]]", 3+(i+1)/10))
			}
		}
		must(t, python.Do("checkpoint", nil, nil))
		if got := s.sql("SELECT count(*), count(DISTINCT n) FROM ledger WHERE client = 'many'"); got != "40|40" {
			t.Errorf("the server has %s", got)
		}
		// A reopened client continues where it was.
		must(t, python.Do("close", nil, nil))
		must(t, python.Open(o))
		_, err = python.Pull()
		must(t, err)
		rows(t, python, "SELECT count(*) FROM ledger WHERE client = 'many'", "[[40]]")
		must(t, node.Do("close", nil, nil))
		must(t, python.Do("close", nil, nil))
	})
}

// A database is pulled in parts, and partially, with bitmaps of its pages.
func TestSyncInParts(t *testing.T) {
	bothWays(t, func(t *testing.T, s *syncStack, o synced.Options) {
		s.sql("WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 100) INSERT INTO kept SELECT v, hex(randomblob(1000)) FROM n")
		sum := s.sql("SELECT sum(length(v)) FROM kept")
		for language, options := range map[string][]map[string]any{
			"node":   {{"pullBytesThreshold": 10000}, {"partialSyncExperimental": map[string]any{"bootstrapStrategy": map[string]any{"kind": "prefix", "length": 8192}}}},
			"python": {{"pull_bytes_threshold": 10000}},
		} {
			for _, more := range options {
				o.More = more
				c := open(t, language, o)
				rows(t, c, "SELECT sum(length(v)) FROM kept", "[["+sum+"]]")
				must(t, c.Do("close", nil, nil))
			}
		}
	})
}

// A client with read access can pull; its push is refused, and its own rows stay local.
func TestSyncReadOnly(t *testing.T) {
	for _, language := range synced.Languages {
		t.Run(language, func(t *testing.T) {
			s := newSyncStack(t)
			o, _ := s.proxy(time.Minute, true)
			c := open(t, language, o)
			must(t, c.Run("INSERT INTO ledger VALUES ('reader', 1)"))
			if err := c.Push(); err == nil || !strings.Contains(err.Error(), "BLOCKED") {
				t.Errorf("pushed: %v", err)
			}
			s.sql("INSERT INTO kept VALUES ('news', 1)")
			if news, err := c.Pull(); err != nil || !news {
				t.Errorf("news %v, %v", news, err)
			}
			rows(t, c, "SELECT id FROM kept", `[["news"]]`)
			rows(t, c, "SELECT * FROM ledger", `[["reader",1]]`)
			if got := s.sql("SELECT count(*) FROM ledger"); got != "0" {
				t.Errorf("the server has %s rows", got)
			}
		})
	}
}

// A waiting pull outlives three tokens and more, although the database ends it when each
// expires.
func TestSyncPollOutlivesTokens(t *testing.T) {
	for _, language := range synced.Languages {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := newSyncStack(t)
			must(t, s.Faults.Switch(fault.PollExpires, true))
			must(t, s.Faults.Switch(fault.ExpiredAs401, true))
			o, tokens := s.proxy(2*time.Second, false)
			o.Poll = 60_000
			c := open(t, language, o)
			for len(tokens.next) > 0 {
				<-tokens.next
			}
			news := make(chan error, 1)
			go func() {
				got, err := c.Pull()
				if err == nil && !got {
					err = fmt.Errorf("no news")
				}
				news <- err
			}()
			for range 4 { // the poll's first, and three that followed
				select {
				case <-tokens.next:
				case err := <-news:
					t.Fatalf("the poll ended too early: %v", err)
				}
			}
			s.sql("INSERT INTO ledger VALUES ('server', 1)")
			must(t, <-news)
			rows(t, c, "SELECT * FROM ledger", `[["server",1]]`)
			// Another one ends without news.
			o.Poll = 1
			must(t, c.Do("close", nil, nil))
			must(t, c.Open(o))
			if got, err := c.Pull(); got || err != nil {
				t.Errorf("news %v, %v", got, err)
			}
		})
	}
}

// Each refusal is one line with the reason.
func TestSyncRefusals(t *testing.T) {
	for _, language := range synced.Languages {
		t.Run(language, func(t *testing.T) {
			s := newSyncStack(t)
			o, _ := s.proxy(time.Minute, false)
			c := open(t, language, o)
			for name, want := range map[string]string{
				fault.TokenInvalidated: "Turso has invalidated this token",
				fault.TokenNotAllowed:  "gives no access to",
				fault.ReplicasBlocked:  "embedded replicas are not supported",
				fault.SyncBusy:         "database is locked",
				fault.PlainSqld:        "the database has no Turso Sync",
			} {
				must(t, s.Faults.Switch(name, true))
				_, err := c.Pull()
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "eyJ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: Pull = %v", name, err)
				}
				must(t, s.Faults.Switch(name, false))
				if _, err := c.Pull(); err != nil {
					t.Errorf("after %s: %v", name, err)
				}
			}
			// The database was recreated, so the client has a copy of another one.
			must(t, s.DeleteDatabase("acme", "app"))
			_, err := s.CreateDatabase("acme", "app")
			must(t, err)
			o, _ = s.proxy(time.Minute, false)
			must(t, c.Do("close", nil, nil))
			if err := c.Open(o); err == nil {
				_, err = c.Pull()
				if err == nil || !strings.Contains(err.Error(), "remove the local files") {
					t.Errorf("after the database was recreated: %v", err)
				}
			}
		})
	}
}

// cutting is a proxy that cuts off a response after some of its pages, cleanly if its
// length allows.
type cutting struct {
	to    string
	pages int // 0 is all
}

func (c *cutting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, c.to+r.URL.Path, r.Body)
	if err != nil {
		panic(err)
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.Header().Set("Content-Length", fmt.Sprint(len(b))) // as tursodb's own server has it
	w.WriteHeader(resp.StatusCode)
	end := 0
	for range c.pages + 1 { // and the header before them
		_, n := protowire.ConsumeBytes(b[end:])
		end += max(0, n)
	}
	if r.URL.Path != "/pull-updates" || c.pages == 0 || end == len(b) {
		_, _ = w.Write(b)
		return
	}
	_, _ = w.Write(b[:end])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// A response that is cut off between two pages is an error behind the gateway, and
// nothing of it is kept. (By itself, pyturso mistakes it for a complete one.)
func TestSyncThatIsCutOff(t *testing.T) {
	for _, language := range synced.Languages {
		t.Run(language, func(t *testing.T) {
			s := newSyncStack(t)
			between := &cutting{to: s.url}
			server := httptest.NewServer(between)
			defer server.Close()
			direct := s.url
			s.url = server.URL
			o, _ := s.proxy(time.Minute, false)
			s.url = direct
			c := open(t, language, o)
			s.sql("INSERT INTO ledger SELECT 'server', 1 FROM (WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 2000) SELECT v FROM n)")
			between.pages = 2
			if _, err := c.Pull(); err == nil {
				t.Error("a truncated response was accepted as complete")
			}
			between.pages = 0
			_, err := c.Pull()
			must(t, err)
			rows(t, c, "SELECT count(*) FROM ledger", "[[2000]]")
		})
	}
}
