package golibsql

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tursodatabase/go-libsql"

	"github.com/zen-auth/zen/devstack/clients/tursotest"
	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/turso"
)

var readOneTable = []engine.Permission{{Tables: []string{"note"}, Actions: []engine.Action{engine.DataRead}}}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mint(t testing.TB, s *tursotest.Stack, o turso.TokenOptions) string {
	t.Helper()
	token, err := s.CreateDatabaseToken("acme", "app", o)
	must(t, err)
	return token
}

// replica is an embedded replica of the database app.
type replica struct {
	t         testing.TB
	path      string
	connector *libsql.Connector
	db        *sql.DB
}

func openConnector(path, url, token string) (*libsql.Connector, error) {
	return libsql.NewEmbeddedReplicaConnector(path, url, libsql.WithAuthToken(token))
}

func newReplica(t testing.TB, s *tursotest.Stack, token string) *replica {
	t.Helper()
	return openReplica(t, s, filepath.Join(t.TempDir(), "replica.db"), token)
}

func openReplica(t testing.TB, s *tursotest.Stack, path, token string) *replica {
	t.Helper()
	c, err := openConnector(path, s.URL+"/dbs/app", token)
	must(t, err)
	return use(t, path, c)
}

func use(t testing.TB, path string, c *libsql.Connector) *replica {
	r := &replica{t: t, path: path, connector: c, db: sql.OpenDB(c)}
	t.Cleanup(func() { r.db.Close() })
	return r
}

func (r *replica) exec(query string, args ...any) {
	r.t.Helper()
	if _, err := r.db.Exec(query, args...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *replica) sync() {
	r.t.Helper()
	if _, err := r.connector.Sync(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *replica) sees(when, q, want string) {
	r.t.Helper()
	if got := query(r.t, r.db, q); got != want {
		r.t.Errorf("%s: %s: %q, want %q", when, q, got, want)
	}
}

// generation returns the generation in the replica's metadata.
func (r *replica) generation() string {
	r.t.Helper()
	b, err := os.ReadFile(r.path + "-info")
	must(r.t, err)
	_, after, _ := strings.Cut(string(b), `"generation":`)
	return strings.TrimRight(after, "}")
}

func query(t testing.TB, db *sql.DB, q string) string {
	t.Helper()
	var s string
	if err := db.QueryRow(q).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// remote returns the database without a replica.
func remote(t testing.TB, s *tursotest.Stack, token string) *sql.DB {
	t.Helper()
	db, err := sql.Open("libsql", s.URL+"/dbs/app?authToken="+url.QueryEscape(token))
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// Generations end while replicas write, sync or do nothing, and no replica gets stuck in
// one.
func TestGenerationsEndUnderLoad(t *testing.T) {
	s := start(t, turso.Options{CheckpointFrames: 25})
	token := mint(t, s, turso.TokenOptions{})
	sleeper := newReplica(t, s, token)
	sleeper.exec("CREATE TABLE t (w INT, i INT, b BLOB)")
	half := newReplica(t, s, token)
	const writers, each = 3, 80
	replicas := []*replica{newReplica(t, s, token), newReplica(t, s, token)}
	var wg sync.WaitGroup
	for w := range writers {
		db := remote(t, s, token)
		if w > 0 {
			db = replicas[w-1].db
		}
		wg.Go(func() {
			for i := range each {
				if _, err := db.Exec("INSERT INTO t VALUES (?, ?, randomblob(3000))", w, i); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				var n int
				if err := db.QueryRow("SELECT count(*) FROM t WHERE w = ?", w).Scan(&n); err != nil || n != i+1 {
					t.Errorf("writer %d reads %d of its %d rows: %v", w, n, i+1, err)
				}
			}
		})
	}
	for range 10 {
		half.sync()
	}
	wg.Wait()
	want := fmt.Sprint(writers * each)
	for name, r := range map[string]*replica{
		"sleeper": sleeper, "half": half, "writer 1": replicas[0], "writer 2": replicas[1], "new": newReplica(t, s, token),
	} {
		r.sync()
		r.sees(name, "SELECT count(*) FROM t", want)
		r.sees(name, "SELECT count(DISTINCT w * 1000 + i) FROM t", want)
		r.sees(name, "SELECT integrity_check FROM pragma_integrity_check", "ok")
	}
	if g := sleeper.generation(); len(g) < 2 {
		t.Errorf("the generation is only %s: too few ended", g)
	}
}

// A synced database writes on its own and pushes when it syncs.
func TestSyncedDatabase(t *testing.T) {
	s := start(t, turso.Options{CheckpointFrames: 40})
	token := mint(t, s, turso.TokenOptions{})
	synced := func(token string) *replica {
		path := filepath.Join(t.TempDir(), "synced.db")
		c, err := libsql.NewSyncedDatabaseConnector(path, s.URL+"/dbs/app", libsql.WithAuthToken(token))
		must(t, err)
		return use(t, path, c)
	}
	one := synced(token)
	one.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
	primary := remote(t, s, token)
	for i := range 8 {
		for range 5 {
			one.exec("INSERT INTO t (b) VALUES (randomblob(9000))")
		}
		one.sync()
		if got, want := query(t, primary, "SELECT count(*) FROM t"), fmt.Sprint(5*(i+1)); got != want {
			t.Fatalf("primary has %s rows, want %s", got, want)
		}
	}
	one.exec("INSERT INTO t (b) VALUES (zeroblob(3000000))") // more than one request holds
	one.sync()
	if got := query(t, primary, "SELECT length(b) FROM t ORDER BY a DESC"); got != "3000000" {
		t.Errorf("primary has %s bytes", got)
	}
	r := newReplica(t, s, token)
	r.sees("replica", "SELECT count(*) || integrity_check FROM t, pragma_integrity_check", "41ok")

	// Another client wrote in the meantime.
	two := synced(token)
	two.sees("second", "SELECT count(*) FROM t", "41")
	one.exec("INSERT INTO t (b) VALUES ('one')")
	two.exec("INSERT INTO t (b) VALUES ('two')")
	one.sync()
	if _, err := two.connector.Sync(); err == nil || !strings.Contains(err.Error(), "server returned a conflict") {
		t.Errorf("conflict: %v", err)
	}

	reader := synced(mint(t, s, turso.TokenOptions{ReadOnly: true}))
	reader.exec("INSERT INTO t (b) VALUES ('local')")
	if _, err := reader.connector.Sync(); err == nil || !strings.Contains(err.Error(), `status=403 Forbidden, error={"error":"BLOCKED: SQL write operations are forbidden`) {
		t.Errorf("push of a reader: %v", err)
	}
}

// A replica of a database that was destroyed and recreated gets an error that says so.
func TestDatabaseIsMadeAgain(t *testing.T) {
	s := start(t, turso.Options{})
	r := newReplica(t, s, mint(t, s, turso.TokenOptions{}))
	for range 5 {
		r.exec("CREATE TABLE IF NOT EXISTS t (a)")
		r.exec("INSERT INTO t VALUES (1)")
	}
	must(t, r.db.Close())
	req, err := http.NewRequest("DELETE", s.URL+"/v1/organizations/acme/databases/app", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+s.APIToken)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	resp.Body.Close()
	_, err = s.CreateDatabase("acme", "app")
	must(t, err)
	_, err = openConnector(r.path, s.URL+"/dbs/app", mint(t, s, turso.TokenOptions{}))
	if err == nil || !strings.Contains(err.Error(), "status=404 Not Found") {
		t.Errorf("openConnector = %v", err)
	}
}
