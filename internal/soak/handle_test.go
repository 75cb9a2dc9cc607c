//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/libsql"
	_ "github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/zen"
)

// handle is a database as an application uses it.
type handle struct {
	name string
	db   *sql.DB
	// replica: reads are local, and must never fail.
	replica bool
	// alone: without a fallback, so it fails where only a fallback would help.
	alone bool
}

// buildProviders builds the providers as they ship.
func buildProviders(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	must(t, programs.Install(dir, false))
	return dir
}

// signIn makes a home directory with two profiles, both signed in with Clerk: default, with a
// fallback, and alone, without one. It sets the environment to use them.
func signIn(t *testing.T, stack *devstack.Stack, providers string) (home string) {
	t.Helper()
	home = t.TempDir()
	variables, err := stack.Environment(home)
	must(t, err)
	for _, v := range variables {
		t.Setenv(v.Name, v.Value)
	}
	t.Setenv("ZEN_PROVIDER_DIR", providers)
	t.Setenv("ZEN_AUDIT", "1")
	file := filepath.Join(home, "zen", "config.toml")
	text, err := os.ReadFile(file)
	must(t, err)
	profile, rest, _ := strings.Cut(string(text), "\n[providers.clerk]")
	alone := strings.Replace(profile, "[profiles.default]", "[profiles.alone]", 1)
	must(t, os.WriteFile(file, []byte(profile+"fallback = [\"platformtoken\"]\n\n"+alone+"\n[providers.clerk]"+rest), 0o600))

	client, err := zen.New(zen.Options{
		AskProvider:  func(context.Context, host.Binary) (bool, error) { return true, nil },
		AskVariables: func(context.Context, host.Binary, []string) (bool, error) { return true, nil },
	})
	must(t, err)
	defer func() { must(t, client.Close(context.Background())) }()
	for _, profile := range []string{"default", "alone"} {
		session, err := client.Session(profile)
		must(t, err)
		ui := &person{}
		_, err = session.Login(t.Context(), "clerk", provider.LoginRequest{Interactive: true}, ui, store.Plan{})
		ui.visits.Wait()
		must(t, err)
		_, err = session.Token(t.Context())
		must(t, err)
	}
	_, err = client.Providers.Describe(t.Context(), "platformtoken") // also asks about the binary
	must(t, err)
	return home
}

// openHandles opens each profile's database, both remote and as a replica.
func openHandles(t *testing.T, home string) []*handle {
	t.Helper()
	var handles []*handle
	for _, profile := range []string{"default", "alone"} {
		for _, mode := range libsql.Modes()[:2] {
			h := &handle{name: profile + " " + string(mode), replica: mode == libsql.Replica, alone: profile == "alone"}
			d := core.Database{Profile: profile, Mode: mode}
			if h.replica {
				d.Path, d.SyncInterval = filepath.Join(home, profile+".db"), time.Second
			}
			var err error
			h.db, err = core.Open(t.Context(), d)
			must(t, err)
			h.db.SetMaxOpenConns(goroutines)
			h.db.SetMaxIdleConns(goroutines)
			handles = append(handles, h)
		}
	}
	return handles
}

func (h *handle) sync(t *testing.T) {
	t.Helper()
	if h.replica {
		_, err := libsql.Sync(t.Context(), h.db)
		must(t, err)
	}
}

// person is the UI of a sign-in, which visits the URLs that it is to open.
type person struct{ visits sync.WaitGroup }

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
func (*person) Ask(context.Context, string) (string, error)                       { return "", io.EOF }
func (*person) AskSecret(context.Context, string) (provider.Secret, error) {
	return provider.Secret{}, io.EOF
}
