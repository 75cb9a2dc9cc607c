//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// Close is safe while other goroutines use the database.
func TestCloseWhileInUse(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	for range 5 {
		o := options(t, stack, src)
		db := open(t, o)
		exec(t, db, "CREATE TABLE IF NOT EXISTS t (a INTEGER)")
		var users, inUse sync.WaitGroup
		inUse.Add(4)
		for range 4 {
			users.Go(func() {
				for n := 0; ; n++ {
					if n == 1 {
						inUse.Done()
					}
					_, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
					if err == nil {
						_, err = libsql.Sync(t.Context(), db)
					}
					if err != nil {
						if !errors.Is(err, sql.ErrConnDone) && err.Error() != "sql: database is closed" && !errors.Is(err, context.Canceled) {
							t.Errorf("at Close: %v", err)
						}
						return
					}
				}
			})
		}
		inUse.Wait()
		must(t, db.Close())
		users.Wait()
		if _, err := libsql.Sync(t.Context(), db); err == nil {
			t.Error("Sync after Close returned no error")
		}
		must(t, db.Close())
	}
}

func TestContextEndsWaiting(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	const patience = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := db.ExecContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	sees(t, db, "SELECT 1", 1)

	hang := make(chan struct{})
	network := &stalled{RoundTripper: http.DefaultTransport}
	o.Base = network
	must(t, db.Close())
	db = open(t, o)
	network.stall.Store(hang)
	ctx, cancel = context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err = libsql.Sync(ctx, db); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("sync: %v", err)
	}
	sees(t, db, "SELECT 1", 1)
	must(t, db.Close()) // the sync still hangs
	close(hang)
}

// stalled is a transport that doesn't answer requests while stall is set.
type stalled struct {
	http.RoundTripper
	stall atomic.Value // chan struct{}
}

func (s *stalled) RoundTrip(r *http.Request) (*http.Response, error) {
	if hang, ok := s.stall.Load().(chan struct{}); ok {
		select {
		case <-hang:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return s.RoundTripper.RoundTrip(r)
}
