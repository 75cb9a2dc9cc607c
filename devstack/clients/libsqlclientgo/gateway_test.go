package libsqlclientgo

import (
	"database/sql"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/clients/tursotest"
	"github.com/zen-auth/zen/devstack/turso"
)

// Behind zen's gateway the client's token is the gateway's for good, while the one
// that the database sees changes all the time.
func TestTokensChangeBehindGateway(t *testing.T) {
	s := tursotest.New(t, turso.Options{})
	must(t, s.RegisterJWKS("acme", "clerk", s.Keys))
	gateway, session := s.Gateway(t, 50*time.Millisecond)
	db, err := sql.Open("libsql", gateway.URL()+"?authToken="+url.QueryEscape(gateway.Bearer().Reveal()))
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "CREATE TABLE t (w INTEGER, i INTEGER, UNIQUE (w, i))")
	must(t, err)
	var writers sync.WaitGroup
	const each = 60
	for w := range 4 {
		writers.Go(func() {
			for i := range each {
				tx, err := db.BeginTx(t.Context(), nil)
				if err == nil {
					if _, err = tx.ExecContext(t.Context(), "INSERT INTO t VALUES (?, ?)", w, i); err == nil {
						err = tx.Commit()
					}
				}
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	writers.Wait()
	var n int
	must(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n))
	if n != 4*each || session.Count() < 5 {
		t.Errorf("%d rows of %d, with %d tokens", n, 4*each, session.Count())
	}
}
