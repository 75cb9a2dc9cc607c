//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// spike, gotcha 2 (the token is fixed when a client is made): tokens change all the
// time under four writers on one handle, none fails, and each reads its own rows.
func TestTokensChangeUnderWriters(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	src.every = 100 * time.Millisecond
	o := options(t, stack, src)
	o.SyncInterval = 150 * time.Millisecond
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (w INTEGER, i INTEGER, UNIQUE (w, i))")
	var written atomic.Int64
	var writers sync.WaitGroup
	end := time.Now().Add(2 * time.Second)
	for w := range 4 {
		writers.Go(func() {
			for i := 0; time.Now().Before(end); i++ {
				if _, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (?, ?)", w, i); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				written.Add(1)
				var n int
				if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t WHERE w = ?", w).Scan(&n); err != nil || n != i+1 {
					t.Errorf("writer %d reads %d of its %d rows: %v", w, n, i+1, err)
					return
				}
			}
		})
	}
	writers.Wait()
	src.mu.Lock()
	tokens := src.count
	src.mu.Unlock()
	if tokens < 10 || written.Load() < 40 {
		t.Errorf("%d writes with %d tokens", written.Load(), tokens)
	}
	sees(t, remote(t, o), "SELECT count(*) FROM t", written.Load())
	t.Logf("%d writes, %d tokens", written.Load(), tokens)
}

// Tokens are revoked in the middle: each request is refused once, and sent again.
func TestRevocationUnderWriters(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	db := open(t, options(t, stack, src))
	exec(t, db, "CREATE TABLE t (i INTEGER)")
	for i := range 20 {
		src.mu.Lock()
		// A token that Turso can't read: the one of the source is good again when it is
		// asked for another.
		src.token = provider.Token{Value: provider.NewSecret(src.token.Value.Reveal()[:len(src.token.Value.Reveal())-4] + "AAAA")}
		src.mu.Unlock()
		exec(t, db, "INSERT INTO t VALUES (?)", i)
	}
	sees(t, db, "SELECT count(*) FROM t", 20)
}

// Generations of the log end under writers and readers.
func TestGenerationsEnd(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
	first := syncNow(t, db).Progress.Generation
	for range 6 {
		exec(t, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t (b) SELECT randomblob(3000) FROM n")
		sees(t, db, "SELECT count(*) > 0 FROM t", 1)
	}
	if last := syncNow(t, db).Progress.Generation; last == first {
		t.Skipf("the stack ended no generation: %d", last)
	}
	sees(t, db, "SELECT count(*) FROM t", 1800)
	sees(t, db, "PRAGMA integrity_check", "ok")
}

// cut is a transport that loses some answers, after the database has acted.
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

// A write that the database ran is never sent again and never told as failed alone: its
// error says that it was applied.
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
			t.Errorf("%s: %v", name, err)
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

// A write whose answer is lost may have been run: it is not sent again, and not called
// applied.
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
		t.Errorf("%v", err)
	}
	network.lose.Store(func(*http.Request) bool { return false })
	syncNow(t, db)
	sees(t, db, "SELECT count(*) FROM t", 1)
}

func TestStaleReadsWhereAllowed(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	must(t, db.Close())
	o.AllowStale = true
	told := make(chan libsql.Synced, 100)
	o.SyncInterval, o.OnSync = 100*time.Millisecond, func(s libsql.Synced) { told <- s }
	db = open(t, o)
	exec(t, db, "INSERT INTO t VALUES (1)")
	for deadline := time.After(5 * time.Second); ; {
		select {
		case s := <-told:
			if s.Err != nil || s.Next.IsZero() || s.Progress.Frame == 0 {
				t.Fatalf("%+v", s)
			}
			if !s.Changed {
				continue
			}
		case <-deadline:
			t.Fatal("no sync brought the row")
		}
		break
	}
	sees(t, db, "SELECT count(*) FROM t", 1)
}

// The loop backs off, says why, and goes on when it can.
func TestSyncLoopAfterFailures(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	o := options(t, stack, src)
	told := make(chan libsql.Synced, 100)
	o.SyncInterval, o.OnSync = 100*time.Millisecond, func(s libsql.Synced) { told <- s }
	db := open(t, o)
	src.fail(provider.ErrUnavailable)
	for s := range told {
		if s.Failures == 2 {
			if wait := time.Until(s.Next); !errors.Is(s.Err, provider.ErrUnavailable) || wait < 250*time.Millisecond || wait > 500*time.Millisecond {
				t.Errorf("%v, next in %v", s.Err, wait)
			}
			break
		}
	}
	src.fail(nil)
	for s := range told {
		if s.Err == nil {
			if s.Failures != 0 {
				t.Errorf("%+v", s)
			}
			break
		}
	}
	must(t, db.Close())
	for len(told) > 0 {
		<-told
	}
	select {
	case s := <-told:
		t.Errorf("told after Close: %+v", s)
	default:
	}
}

// What go-libsql leaves behind, and what never was a replica.
func TestFilesThatDoNotFit(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	exec(t, remote(t, options(t, stack, src)), "CREATE TABLE t AS SELECT 7 AS a")
	write := func(path, content string) { must(t, os.WriteFile(path, []byte(content), 0o600)) }
	make := func(t *testing.T) (libsql.Options, string) {
		o := options(t, stack, src)
		db := open(t, o)
		must(t, db.Close())
		return o, o.Path
	}
	for name, damage := range map[string]func(path string){
		"no -info":       func(path string) { must(t, os.Remove(path+"-info")) },
		"no database":    func(path string) { must(t, os.Remove(path)) },
		"-info of zeros": func(path string) { write(path+"-info", "\x00\x00") },
		"-info cut":      func(path string) { write(path+"-info", `{"hash":1`) },
		"-info changed":  func(path string) { write(path+"-info", `{"hash":1,"version":0,"durable_frame_num":9,"generation":1}`) },
		"no SQLite":      func(path string) { write(path, strings.Repeat("x", 8192)) },
		"refused by V1": func(path string) {
			must(t, os.Remove(path+"-info"))
			must(t, os.Remove(path+"-zen"))
			write(path+"-client_wal_index", "")
		},
		"only a log":       func(path string) { must(t, os.Remove(path)); must(t, os.Remove(path+"-info")); write(path+"-wal", "x") },
		"claimed and lost": func(path string) { must(t, os.Remove(path+"-info")); write(path+"-wal", "x") },
	} {
		t.Run(name, func(t *testing.T) {
			o, path := make(t)
			damage(path)
			before := files(t, path)
			db := open(t, o)
			sees(t, db, "SELECT a FROM t", 7)
			kept := 0
			for _, name := range files(t, path) {
				if strings.Contains(name, ".damaged-") {
					kept++
				}
			}
			if kept == 0 || kept < len(before)-2 {
				t.Errorf("%d of %v were kept", kept, before)
			}
		})
	}
	for name, prepare := range map[string]func(path string){
		"a database of its own": func(path string) { write(path, "SQLite format 3\x00") },
		"a directory":           func(path string) { must(t, os.Mkdir(path, 0o700)) },
		"another's":             func(path string) { write(path+"-zen", `{"database":"libsql://other.turso.io"}`) },
		"no claim":              func(path string) { write(path+"-zen", "x") },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, stack, src)
			prepare(o.Path)
			before := files(t, o.Path)
			if db, err := libsql.Open(t.Context(), o); !errors.Is(err, provider.ErrConfig) || provider.Hint(err) == "" {
				t.Errorf("%v", err)
				if err == nil {
					db.Close()
				}
			}
			if after := files(t, o.Path); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("files %v, were %v", after, before)
			}
		})
	}
}

// files are the names beside a path.
func files(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path[:strings.LastIndexByte(path, '/')])
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestOneFileBelongsToOneHandle(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := libsql.Open(ctx, o); err == nil {
		t.Error("it was opened twice")
	}
	must(t, db.Close())
	sees(t, open(t, o), "SELECT 1", 1)
}

// Closing is one thing at a time, whatever else goes on.
func TestCloseWhileInUse(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	for range 10 {
		o := options(t, stack, src)
		db := open(t, o)
		exec(t, db, "CREATE TABLE IF NOT EXISTS t (a INTEGER)")
		var users sync.WaitGroup
		for range 4 {
			users.Go(func() {
				for {
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
		time.Sleep(20 * time.Millisecond)
		must(t, db.Close())
		users.Wait()
		if _, err := libsql.Sync(t.Context(), db); err == nil {
			t.Error("a sync after Close")
		}
		must(t, db.Close())
	}
}

func TestContextEndsWhatWaits(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := db.ExecContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
		t.Errorf("read: %v after %v", err, took)
	}
	sees(t, db, "SELECT 1", 1)

	hang := make(chan struct{})
	network := &stalled{RoundTripper: http.DefaultTransport}
	o.Base = network
	must(t, db.Close())
	db = open(t, o)
	network.stall.Store(hang)
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began = time.Now()
	if _, err = libsql.Sync(ctx, db); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
		t.Errorf("sync: %v after %v", err, time.Since(began))
	}
	sees(t, db, "SELECT 1", 1)
	began = time.Now()
	must(t, db.Close()) // the sync still hangs
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("close took %v", took)
	}
	close(hang)
}

// stalled is a network that swallows requests.
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
