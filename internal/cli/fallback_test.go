package cli

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/testwait"
	"github.com/zen-auth/zen/internal/zen"
)

// program is a program that embeds zen, signed in with Clerk.
type program struct {
	client  *zen.Client
	session *session.Session
	notes   *noticeLog
	dir     string
	// ahead is the offset of its clock from the machine's.
	ahead *atomic.Int64
}

// noticeLog collects notices.
type noticeLog struct {
	mu   sync.Mutex
	text []string
}

func (l *noticeLog) add(text string) { l.mu.Lock(); l.text = append(l.text, text); l.mu.Unlock() }
func (l *noticeLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.text...)
}

// newProgram signs in to a stack. change edits the configuration.
func newProgram(t *testing.T, stack *devstack.Stack, change func(string) string) *program {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	environ := inStack(t, stack, dir, os.Environ())
	file := filepath.Join(dir, "zen", "config.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(change(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{notes: &noticeLog{}, dir: dir, ahead: &atomic.Int64{}}
	p.client, err = zen.New(zen.Options{
		Config:       config.LoadOptions{Environ: environ, WorkDir: dir},
		ProviderDirs: []string{bin}, Bundled: builtSums, Notify: p.notes.add,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // against a hang
		defer cancel()
		if err := p.client.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if p.session, err = p.client.Session(""); err != nil {
		t.Fatal(err)
	}
	own := p.session.Config()
	own.Now = func() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }
	p.session = session.New(own)
	ui := &person{}
	defer ui.visits.Wait()
	if _, err := p.session.Login(t.Context(), "clerk", provider.LoginRequest{Interactive: true}, ui, store.Plan{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// open opens the program's database in a mode.
func (p *program) open(t *testing.T, mode libsql.Mode) *sql.DB {
	t.Helper()
	d := libsql.Options{Mode: mode}
	if mode == libsql.Replica {
		d.Path = filepath.Join(p.dir, "replica.db")
	}
	db, err := p.client.OpenSession(t.Context(), p.session, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// eachMode runs a test with remote databases and with replicas.
func eachMode(t *testing.T, test func(*testing.T, libsql.Mode)) {
	for _, mode := range []libsql.Mode{libsql.Remote, libsql.Replica} {
		t.Run(string(mode), func(t *testing.T) {
			if mode == libsql.Replica && !replica.Linked {
				t.Skip("SKIPPED: this zen was built without go-libsql")
			}
			test(t, mode)
		})
	}
}

func withFallback(text string) string {
	return strings.Replace(text, "provider = \"clerk\"\n", "provider = \"clerk\"\nfallback = [\"platformtoken\"]\n", 1)
}

// Turso stops accepting the organization's key set while eight goroutines write. With a
// fallback no query fails, even while the fallback's provider is still being started. When
// Turso is repaired, a trial request finds that out.
func TestNoQueryFailsWhenTheKeySetBreaks(t *testing.T) { eachMode(t, breakUnderLoad) }

func breakUnderLoad(t *testing.T, mode libsql.Mode) {
	// Longer than the offset of the program's clock.
	stack := devstacktest.Start(t, devstack.Options{TokenLifetime: time.Hour})
	p := newProgram(t, stack, withFallback)
	db := p.open(t, mode)
	db.SetMaxOpenConns(8)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE ledger (who INTEGER, n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var slowest atomic.Int64
	var mu sync.Mutex // guards written
	more, written := sync.NewCond(&mu), 0
	var workers sync.WaitGroup
	for who := range 8 {
		workers.Go(func() {
			defer more.Broadcast()
			for n := 0; ctx.Err() == nil; n++ {
				began := time.Now()
				if _, err := db.ExecContext(t.Context(), "INSERT INTO ledger (who, n) VALUES (?, ?)", who, n); err != nil {
					t.Errorf("write %d of %d: %v", n, who, err)
					return
				}
				mu.Lock()
				written++
				more.Broadcast()
				mu.Unlock()
				for took := int64(time.Since(began)); ; {
					if before := slowest.Load(); took <= before || slowest.CompareAndSwap(before, took) {
						break
					}
				}
			}
		})
	}
	// run waits for 400 more writes, and returns how long the slowest took.
	run := func() time.Duration {
		slowest.Store(0)
		mu.Lock()
		for before := written; written < before+400 && !t.Failed(); {
			more.Wait()
		}
		mu.Unlock()
		return time.Duration(slowest.Load())
	}
	usual := run()
	breakKeys(t, stack, true)
	switching := run()
	t.Logf("slowest query: %s before, %s with the switch", usual, switching)
	if notices := p.notes.all(); len(notices) != 1 || !strings.Contains(notices[0], "the database refuses the tokens of clerk: using platformtoken") {
		t.Errorf("notices %q, want the one of the fallback", notices)
	}
	p.ahead.Store(int64(31 * time.Second)) // a trial is due, and is refused
	run()
	breakKeys(t, stack, false)
	p.ahead.Store(int64(100 * time.Second)) // the next one is due; on a busy machine it is a later one
	testwait.Until(t, "the notice of the recovery", func() bool {
		p.ahead.Add(int64(100 * time.Millisecond))
		return len(p.notes.all()) > 1 || t.Failed()
	})
	run()
	if notices := p.notes.all(); len(notices) != 2 || notices[1] != "the tokens of clerk work again" {
		t.Errorf("notices %q, want a second one of the recovery", notices)
	}
	cancel()
	workers.Wait()
	var rows int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM ledger").Scan(&rows); err != nil || rows != written {
		t.Errorf("%d rows, want %d, %v", rows, written, err)
	}
	if status, err := p.session.Status(t.Context()); err != nil || status.Provider != "clerk" {
		t.Errorf("the profile uses %s, want clerk (%v)", status.Provider, err)
	}
}

// The fallback for a read-only user's token is read-only, too, although the profile allows
// more and the API token could mint it.
func TestFallbackIsNoPromotion(t *testing.T) { eachMode(t, grantNoMore) }

func grantNoMore(t *testing.T, mode libsql.Mode) {
	stack := devstacktest.Start(t, devstack.Options{})
	p := newProgram(t, stack, func(text string) string {
		text = withFallback(text)
		return strings.Replace(text, `template = "`+devstack.Template+`"`, `template = "`+devstack.ReadOnlyTemplate+`"`, 1)
	})
	db := p.open(t, mode)
	for _, broken := range []bool{false, true} {
		breakKeys(t, stack, broken)
		var one int
		if err := db.QueryRowContext(t.Context(), "SELECT 1").Scan(&one); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (id)"); err == nil || !strings.Contains(err.Error(), "write permission") {
			t.Errorf("with broken %v a read-only user's write returned %v, want a permission error", broken, err)
		}
	}
	if notices := p.notes.all(); len(notices) != 1 || !strings.Contains(notices[0], "access ro") {
		t.Errorf("notices %q, want one with access ro", notices)
	}
}

// A user whose session at Clerk was revoked gets no token from the fallback.
func TestRevokedSignInHasNoFallback(t *testing.T) {
	t.Parallel()
	stack := devstacktest.Start(t, devstack.Options{})
	p := newProgram(t, stack, withFallback)
	db, err := p.client.OpenSession(t.Context(), p.session, libsql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, id := range stack.Clerk.SessionIDs(stack.Clerk.UserID("alice@example.test")) {
		if err := stack.Clerk.RevokeSession(id); err != nil {
			t.Fatal(err)
		}
	}
	breakKeys(t, stack, true)
	var one int
	err = db.QueryRowContext(t.Context(), "SELECT 1").Scan(&one)
	if err == nil || app.ExitCode(t.Context(), err) != app.ExitSignIn || len(p.notes.all()) != 0 {
		t.Errorf("query after the revocation: %v, notices %q", err, p.notes.all())
	}
}

func breakKeys(t *testing.T, stack *devstack.Stack, broken bool) {
	t.Helper()
	if err := stack.Faults.Switch(fault.JWKSStuck, broken); err != nil {
		t.Fatal(err)
	}
}

// Clerk is unavailable when its token expires: further token requests use the fallback, too.
func TestFallbackForAnUnavailableProvider(t *testing.T) {
	t.Parallel()
	stack := devstacktest.Start(t, devstack.Options{})
	p := newProgram(t, stack, withFallback)
	if err := stack.Faults.Switch(clerk.FaultUnavailable, true); err != nil {
		t.Fatal(err)
	}
	p.ahead.Store(int64(50 * time.Second))
	token, err := p.session.TokenFor(t.Context(), 0)
	if err != nil || token.Verification != nil { // Turso publishes no keys
		t.Fatalf("token with verification %+v, %v", token.Verification, err)
	}
	if notices := p.notes.all(); len(notices) != 1 || !strings.HasPrefix(notices[0], "no token can be had from clerk: using platformtoken") {
		t.Errorf("notices %q, want the one of the fallback", notices)
	}
}
