package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/zen"
)

// person is the UI of a program: it opens a URL by visiting it.
type person struct {
	visits sync.WaitGroup
	// answer is returned by AskSecret; "" means that it isn't supported.
	answer string
}

func (p *person) OpenURL(_ context.Context, _, url, _ string) error {
	p.visits.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = browse.Visit(ctx, browse.Person{User: "alice"}, url, io.Discard)
	})
	return nil
}
func (*person) ShowCode(context.Context, string, string, string, time.Time) error { return nil }
func (*person) Progress(context.Context, string) error                            { return nil }
func (*person) Ask(context.Context, string) (string, error)                       { return "", errors.ErrUnsupported }
func (p *person) AskSecret(context.Context, string) (provider.Secret, error) {
	if p.answer == "" {
		return provider.Secret{}, errors.ErrUnsupported
	}
	return provider.NewSecret(p.answer), nil
}

// A program keeps one *sql.DB while its two-second tokens expire and are renewed by a
// provider process: several goroutines write, and no query fails.
func TestOneDatabaseHandleOutlivesItsTokens(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	stack, err := devstack.Start(devstack.Options{TokenLifetime: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Close()
	dir := t.TempDir()
	environ := inStack(t, stack, dir, os.Environ())
	client, err := zen.New(zen.Options{Config: config.LoadOptions{Environ: environ, WorkDir: dir}, ProviderDirs: []string{bin}, Bundled: builtSums})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	session, err := client.Session("")
	if err != nil {
		t.Fatal(err)
	}
	ui := &person{}
	defer ui.visits.Wait()
	if _, err := session.Login(t.Context(), "clerk", provider.LoginRequest{Interactive: true}, ui, store.Plan{}); err != nil {
		t.Fatal(err)
	}
	db, err := client.OpenSession(t.Context(), session, libsql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE ledger (id INTEGER PRIMARY KEY, who INTEGER, n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	first, err := session.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var written atomic.Int64
	var workers sync.WaitGroup
	for who := range 4 {
		workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				// t.Context, so that the timeout doesn't cancel a query.
				if _, err := db.ExecContext(t.Context(), "INSERT INTO ledger (who, n) VALUES (?, ?)", who, n); err != nil {
					t.Errorf("write %d of %d: %v", n, who, err)
					return
				}
				written.Add(1)
			}
		})
	}
	workers.Wait()
	var rows int64
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM ledger").Scan(&rows); err != nil || rows != written.Load() {
		t.Errorf("%d rows, want %d, %v", rows, written.Load(), err)
	}
	last, err := session.Token(t.Context())
	if err != nil || last.Value.Equal(first.Value) {
		t.Errorf("the token didn't change (%v)", err)
	}
	t.Logf("%d writes", rows)
}
