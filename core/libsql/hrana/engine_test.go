package hrana_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/testwait"
)

// bearer adds a token to requests, and counts them.
type bearer struct {
	token string
	mu    sync.Mutex // guards what is below
	count int
	sent  func() // called once, with the next request, or nil
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.count++
	if b.sent != nil {
		b.sent()
		b.sent = nil
	}
	b.mu.Unlock()
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(req)
}

// sends has f called with the next request.
func (b *bearer) sends(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = f
}

func (b *bearer) requests() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.count
	b.count = 0
	return n
}

// database returns a connection to a real SQL engine behind a real server.
func database(t *testing.T) (*sql.DB, *bearer) {
	t.Helper()
	db, b, _ := databaseOf(t)
	return db, b
}

func databaseOf(t *testing.T) (*sql.DB, *bearer, *devstack.Stack) {
	t.Helper()
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: time.Hour})
	u, err := url.Parse(stack.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	b := &bearer{token: devstacktest.Token(t, stack, "alice@example.test", devstack.Template)}
	connector, err := hrana.NewConnector(hrana.Config{URL: u, Transport: b})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, b, stack
}

func must(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// conform checks what database/sql promises and applications expect of a driver, against a
// real engine. Each check begins with the table t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)
// with the rows one, two and three.
func conform(t *testing.T, table func(*sql.DB, *bearer) map[string]func() error) {
	t.Helper()
	db, requests := database(t)
	for name, try := range table(db, requests) {
		must(t, db, "DROP TABLE IF EXISTS u", "DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
			"INSERT INTO t (name) VALUES ('one'), ('two'), ('three')")
		if err := try(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// database/sql rolls back in the background when a context ends.
		testwait.Until(t, name+": no connection is in use", func() bool { return db.Stats().InUse == 0 })
	}
}

func same[T comparable](got, want T) error {
	if got != want {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

// counts returns an error unless t has n rows.
func counts(q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, n int) error {
	var got int
	err := q.QueryRowContext(context.Background(), "SELECT count(*) FROM t").Scan(&got)
	return errors.Join(err, same(got, n))
}

func texts(rows *sql.Rows) (all []string, err error) {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values := make([]string, len(columns))
		pointers := make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return all, err
		}
		all = append(all, values...)
	}
	return all, rows.Err()
}
