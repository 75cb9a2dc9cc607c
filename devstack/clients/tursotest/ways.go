package tursotest

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/turso"
	"github.com/zen-auth/zen/internal/gateway"
)

// Way is a way to connect to a stack's database: the URL and the token for a client.
type Way struct{ Name, URL, Token string }

// Ways returns a new stack's exported URL with a database token, and the address of what
// `zen proxy` runs, with its own bearer token.
func Ways(t testing.TB) []Way {
	t.Helper()
	s := New(t, turso.Options{})
	must(t, s.RegisterJWKS("acme", "clerk", s.Keys))
	exported := s.URL + "/dbs/app"
	address, err := url.Parse(exported)
	must(t, err)
	token := s.JWT(t, turso.TokenOptions{Lifetime: time.Hour})
	proxy, err := gateway.Listen(t.Context(), gateway.Config{Address: address, Transport: bearer(token)})
	must(t, err)
	t.Cleanup(func() { must(t, proxy.Close(context.Background())) })
	return []Way{{"exported", exported, token}, {"proxy", proxy.URL(), proxy.Bearer().Reveal()}}
}

// bearer puts a token on requests, as a session's transport does.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// Use uses a database through database/sql as an application would.
func Use(t testing.TB, db *sql.DB, table string) {
	t.Helper()
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), query, args...)
		must(t, err)
	}
	exec("CREATE TABLE " + table + " (id INTEGER PRIMARY KEY, body TEXT UNIQUE)")
	exec("INSERT INTO "+table+" (body) VALUES (?)", "first")
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
		tx, err := db.BeginTx(t.Context(), nil)
		must(t, err)
		_, err = tx.Exec("INSERT INTO " + table + " (body) VALUES ('second')")
		must(t, err)
		must(t, end(tx))
		exec("UPDATE " + table + " SET body = 'third' WHERE body = 'second'")
	}
	_, err := db.ExecContext(t.Context(), "INSERT INTO "+table+" (body) VALUES ('first')")
	if err == nil || !strings.Contains(err.Error(), "UNIQUE constraint failed") {
		t.Errorf("a second first: %v", err)
	}
	var bodies string
	must(t, db.QueryRowContext(t.Context(), "SELECT group_concat(body) FROM (SELECT body FROM "+table+" ORDER BY id)").Scan(&bodies))
	if bodies != "first,third" {
		t.Errorf("it holds %s", bodies)
	}
}
