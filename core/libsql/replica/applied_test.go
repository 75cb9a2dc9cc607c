//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/internal/testwait"
)

// cut is a transport that drops some answers after the database has acted.
type cut struct {
	http.RoundTripper
	lose atomic.Value // func(*http.Request) bool
}

func (c *cut) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if lose, _ := c.lose.Load().(func(*http.Request) bool); lose != nil && lose(r) && err == nil {
		resp.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return resp, err
}

// A write that the database has run is never sent again, and its error says that it was
// applied.
func TestAppliedWriteWhoseReadBackFails(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	network := &cut{RoundTripper: http.DefaultTransport}
	o.Base = network
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
	network.lose.Store(func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/sync/") })

	check := func(name string, err error, id int64) {
		t.Helper()
		var applied *libsql.AppliedError
		if !errors.As(err, &applied) || id > 0 && (applied.LastInsertID != id || applied.RowsAffected != 1) || !strings.Contains(err.Error(), "do not repeat it") {
			t.Errorf("%s: %v, want AppliedError", name, err)
		}
	}
	_, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (41)")
	check("exec", err, 41)
	var id int
	check("returning", db.QueryRowContext(t.Context(), "INSERT INTO t VALUES (42) RETURNING a").Scan(&id), 0)
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO t VALUES (43)")
	must(t, err)
	check("commit", tx.Commit(), 0)
	stmt, err := db.PrepareContext(t.Context(), "INSERT INTO t VALUES (?)")
	must(t, err)
	defer stmt.Close()
	_, err = stmt.ExecContext(t.Context(), 44)
	check("prepared", err, 44)
	ctx, cancel := context.WithCancel(t.Context())
	network.lose.Store(func(r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/sync/") {
			cancel() // after the write, before the replica has it
			return true
		}
		return false
	})
	_, err = db.ExecContext(ctx, "INSERT INTO t VALUES (45)")
	check("cancelled", err, 45)

	sees(t, db, "SELECT count(*) FROM t", 0)
	network.lose.Store(func(*http.Request) bool { return false })
	syncNow(t, db)
	sees(t, db, "SELECT group_concat(a) FROM t", "41,42,43,44,45")
}

// A write whose answer is lost may have run: it is not sent again, and its error doesn't call
// it applied.
func TestLostAnswerOfAWrite(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	network := &cut{RoundTripper: http.DefaultTransport}
	o.Base = network
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	network.lose.Store(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/pipeline") })
	_, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
	var applied *libsql.AppliedError
	if err == nil || errors.As(err, &applied) {
		t.Errorf("a write whose answer is lost: %v, want an error other than AppliedError", err)
	}
	network.lose.Store(func(*http.Request) bool { return false })
	syncNow(t, db)
	sees(t, db, "SELECT count(*) FROM t", 1)
}

// hangs is a transport whose answers to a sync stop in the middle.
type hangs struct {
	http.RoundTripper
	on atomic.Bool
}

func (h *hangs) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := h.RoundTripper.RoundTrip(r)
	if err == nil && h.on.Load() && strings.Contains(r.URL.Path, "/sync/") {
		resp.Body = hung{resp.Body, r.Context()}
	}
	return resp, err
}

type hung struct {
	io.Closer
	ctx context.Context
}

func (h hung) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// A sync that hangs returns after Timeout, even if the caller has no deadline.
func TestSyncThatHangs(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	whole := open(t, o)
	exec(t, whole, "CREATE TABLE t (a INTEGER)")
	must(t, whole.Close())
	network := &hangs{RoundTripper: http.DefaultTransport}
	hasty := o
	hasty.Base, hasty.Timeout = network, 200*time.Millisecond
	db, last := open(t, hasty), 0
	network.on.Store(true)
	testwait.Until(t, "AppliedError with ErrUnavailable", func() bool { // on a busy machine, the write may take longer, too
		last++
		_, err := db.ExecContext(context.Background(), "INSERT INTO t VALUES (?)", last)
		var applied *libsql.AppliedError
		if errors.As(err, &applied) && errors.Is(err, provider.ErrUnavailable) {
			return true
		}
		t.Logf("a write whose sync hangs: %v", err)
		return false
	})
	must(t, db.Close())
	whole = open(t, o)
	syncNow(t, whole)
	sees(t, whole, "SELECT count(*) FROM t WHERE a = ?", 1, last)
}

// The network breaks off an answer to a sync, which go-libsql notices only as an end of its
// bytes.
func TestSyncCutInTheMiddle(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, remote(t, o), "CREATE TABLE t (a INTEGER)")
	for _, name := range []string{fault.CutBody, fault.Cut} {
		must(t, stack.Faults.Switch(name, true))
		_, err := libsql.Sync(t.Context(), db)
		if !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), "can't be reached") {
			t.Errorf("Sync with fault %s: %v, want ErrUnavailable", name, err)
		}
		must(t, stack.Faults.Switch(name, false))
	}
	syncNow(t, db)
	sees(t, db, "SELECT count(*) FROM t", 0)
}
