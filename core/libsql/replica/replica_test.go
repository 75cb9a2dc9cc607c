//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	_ "github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/transport"
)

// source returns tokens that Clerk mints from a template, as a session does, and replaces
// each after the time that the test sets.
type source struct {
	t        testing.TB
	stack    *devstack.Stack
	template string
	every    time.Duration // if 0, a token is kept until it is refused

	mu     sync.Mutex
	token  provider.Token
	minted time.Time
	count  int
	err    error
}

func newSource(t testing.TB, stack *devstack.Stack) *source {
	return &source{t: t, stack: stack, template: devstack.Template}
}

func (s *source) Token(context.Context) (provider.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return provider.Token{}, s.err
	}
	if s.token.Value.IsZero() || s.every > 0 && time.Since(s.minted) >= s.every {
		s.mint()
	}
	return s.token, nil
}

func (s *source) Renew(_ context.Context, refused provider.Token) (provider.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return provider.Token{}, s.err
	}
	if s.token.Value.Equal(refused.Value) {
		s.mint()
	}
	return s.token, nil
}

func (s *source) mint() {
	s.token = provider.Token{Value: provider.NewSecret(devstacktest.Token(s.t, s.stack, "alice@example.test", s.template))}
	s.minted, s.count = time.Now(), s.count+1
}

// noNetwork is a transport that reports an unreachable network.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: network is unreachable")}
}

// fail makes the source fail with err, or work again if err is nil.
func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

var _ transport.Source = (*source)(nil)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// options returns the options of a replica of the stack's database, in a new directory.
func options(t testing.TB, stack *devstack.Stack, s transport.Source) libsql.Options {
	return libsql.Options{
		Target: provider.Target{URL: stack.DatabaseURL(), DatabaseID: stack.DatabaseID()},
		Source: s, Mode: libsql.Replica, Path: filepath.Join(t.TempDir(), "replica.db"),
	}
}

func open(t testing.TB, o libsql.Options) *sql.DB {
	t.Helper()
	db, err := libsql.Open(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// remote opens the database itself, without a replica.
func remote(t testing.TB, o libsql.Options) *sql.DB {
	t.Helper()
	return open(t, libsql.Options{Target: o.Target, Source: o.Source})
}

func exec(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func sees(t testing.TB, db *sql.DB, query string, want any, args ...any) {
	t.Helper()
	var got any
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, %v; want %v", query, got, err, want)
	}
}

func syncNow(t testing.TB, db *sql.DB) libsql.Synced {
	t.Helper()
	synced, err := libsql.Sync(t.Context(), db)
	must(t, err)
	return synced
}

// A token of a registered issuer opens a remote connection. (spike D1)
func TestRemoteConnection(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	sees(t, remote(t, options(t, stack, newSource(t, stack))), "SELECT 1", 1)
}

// A replica is created with such a token, writes to the database, and reads its own writes.
// (spike D2)
func TestReplicaReadsItsOwnWrites(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	o := options(t, stack, newSource(t, stack))
	db := open(t, o)
	exec(t, db, "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")
	exec(t, db, "INSERT INTO note (body) VALUES (?)", "first")
	sees(t, db, "SELECT body FROM note", "first")
	before := syncNow(t, db)
	sees(t, db, "SELECT body FROM note", "first")
	exec(t, remote(t, o), "INSERT INTO note (body) VALUES ('elsewhere')")
	if after := syncNow(t, db); !after.Changed || after.Progress.Frame <= before.Progress.Frame || after.Progress.Generation == 0 {
		t.Errorf("progress %+v after %+v", after, before)
	}
	sees(t, db, "SELECT count(*) FROM note", 2)
}

// The writes of one replica arrive at the primary, and another replica sees them after its
// next sync. (spike D3)
func TestReplicasSeeEachOther(t *testing.T) {
	stack := devstacktest.Start(t, devstack.Options{})
	src := newSource(t, stack)
	o := options(t, stack, src)
	one := open(t, o)
	exec(t, one, "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")
	two := open(t, options(t, stack, src))
	exec(t, one, "INSERT INTO note (body) VALUES ('from one')")
	sees(t, remote(t, o), "SELECT body FROM note", "from one")
	sees(t, two, "SELECT count(*) FROM note", 0)
	syncNow(t, two)
	sees(t, two, "SELECT body FROM note", "from one")
	exec(t, two, "INSERT INTO note (body) VALUES ('from two')")
	syncNow(t, one)
	sees(t, one, "SELECT group_concat(body) FROM note", "from one,from two")
}

// When the token has expired and there is no other, syncs and writes fail with that error,
// while local reads go on. With a new token everything works again, on the same handle.
// (spike D4)
func TestLocalReadsSurviveExpiryRevocationAndNoNetwork(t *testing.T) {
	clock := devstack.NewClock(time.Now())
	stack := devstacktest.Start(t, devstack.Options{Now: clock.Now})
	src := newSource(t, stack)
	o := options(t, stack, src)
	db := open(t, o)
	exec(t, db, "CREATE TABLE note (body TEXT)")
	exec(t, db, "INSERT INTO note VALUES ('before')")

	check := func(name string, db *sql.DB, kind error) {
		t.Helper()
		if _, err := libsql.Sync(t.Context(), db); !errors.Is(err, kind) {
			t.Errorf("%s: sync: %v", name, err)
		}
		_, err := db.ExecContext(t.Context(), "INSERT INTO note VALUES ('lost')")
		if applied := (*libsql.AppliedError)(nil); !errors.Is(err, kind) || errors.As(err, &applied) {
			t.Errorf("%s: write: %v", name, err)
		}
		sees(t, db, "SELECT group_concat(body) FROM note", "before")
	}
	clock.Advance(time.Hour)
	src.fail(provider.ErrNoCredential)
	check("signed out", db, provider.ErrNoCredential)
	src.fail(nil)
	exec(t, db, "DELETE FROM note WHERE body = 'never'")

	must(t, stack.Faults.Switch("token-invalidated", true))
	check("revoked", db, provider.ErrRejected)
	must(t, stack.Faults.Switch("token-invalidated", false))
	must(t, db.Close())

	// Opened without a token, then without a network.
	src.fail(provider.ErrNoCredential)
	db = open(t, o)
	check("opened signed out", db, provider.ErrNoCredential)
	src.fail(nil)
	exec(t, db, "INSERT INTO note VALUES ('again')")
	sees(t, db, "SELECT group_concat(body) FROM note", "before,again")
	exec(t, db, "DELETE FROM note WHERE body = 'again'")
	must(t, db.Close())

	o.Base = noNetwork{}
	db = open(t, o)
	if _, err := libsql.Sync(t.Context(), db); !errors.Is(libsql.Explain(err), provider.ErrUnavailable) {
		t.Errorf("no network: sync: %v", err)
	}
	sees(t, db, "SELECT group_concat(body) FROM note", "before")
	must(t, db.Close())

	o.Path = filepath.Join(t.TempDir(), "other.db")
	if _, err := libsql.Open(t.Context(), o); !errors.Is(libsql.Explain(err), provider.ErrUnavailable) {
		t.Errorf("no network and no file: %v, want ErrUnavailable", err)
	}

	o.Base = nil
	must(t, stack.Faults.Switch("sqld", true))
	if _, err := libsql.Open(t.Context(), o); err == nil || !strings.Contains(libsql.Explain(err).Error(), "this server has no sync V2; use remote") {
		t.Errorf("a libsql-server on its own: %v", err)
	}
	must(t, stack.Faults.Switch("sqld", false))
	must(t, open(t, o).Close()) // the failed opens left nothing in the way
}
