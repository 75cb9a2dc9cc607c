package live

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/browse"
	devclerk "github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/store"
)

// stack is a local stack with everything that the questions need.
type stack struct {
	*devstack.Stack
	clock   *devstack.Clock
	machine string // the machine's secret key
	// programs returns the directory of the built zen.
	programs func() (dir string, err error)
}

func startStack(t testing.TB) *stack {
	t.Helper()
	seed, err := devstack.LoadSeed("testdata/seed.toml")
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{clock: devstack.NewClock(time.Now())}
	s.Stack = devstacktest.Start(t, devstack.Options{Seed: seed, Now: s.clock.Now, Logger: slog.New(slog.DiscardHandler)})
	bin := t.TempDir()
	s.programs = sync.OnceValues(func() (string, error) { return bin, programs.Install(bin, false) })
	_, s.machine = s.Clerk.AddMachine(devclerk.Machine{Name: "worker"})
	return s
}

// environment returns the settings of a run against the stack.
func (s *stack) environment(journal string) map[string]string {
	return map[string]string{
		"TURSO_API_TOKEN": s.APIToken(), "TURSO_API_BASEURL": s.URL(), "TURSO_ORGANIZATION": "acme",
		"ZENITH_CLERK__SECRET_KEY": s.Clerk.SecretKey(), "CLERK_PUBLISHABLE_KEY": s.Clerk.PublishableKey(), "CLERK_API_URL": s.Clerk.BackendURL(),
		"ZEN_LIVE_CLERK_MACHINE_SECRET": s.machine, "ZEN_CLERK__OAUTH_CLIENT_ID": devclerk.DefaultOAuthClientID,
		"ZEN_AUTH0__DOMAIN": s.Auth0.BaseURL()[len("http://"):], "ZEN_AUTH0__AUDIENCE": "https://db.example.test",
		"ZEN_AUTH0__MACHINE_CLIENT_ID": "zenLiveMachineApplicationClient1", "ZEN_AUTH0__CLIENT_SECRET": "zen-live-machine-secret-of-a-local-tenant",
		"ZEN_LIVE_AUTH0_RFC9068_AUDIENCE": "https://other.example.test", "ZEN_AUTH0__CLIENT_ID": "zenLiveNativeApplicationClient01",
		"ZEN_AUTH0__PORTS": "53782,53783,53784", "ZEN_LIVE_PERSON": "1", "ZEN_LIVE_JOURNAL": journal,
	}
}

// testbed returns the environment of a run against the stack, with the stack's clock and with
// Alice at the browser.
func (s *stack) testbed(journal string) testbed {
	environment := s.environment(journal)
	b := testbed{
		settings: readSettings(func(name string) string { return environment[name] }),
		base:     http.DefaultTransport, now: s.clock.Now, person: alice{}, keyring: &memory{},
		wait: func(ctx context.Context, d time.Duration) error {
			s.clock.Advance(d)
			return ctx.Err()
		},
		action: func(claims map[string]any) { s.Auth0.SetMachineAction(auth0.MachineClaims(claims)) },
		zen: func(ctx context.Context, dir string, environ []string, args ...string) ([]byte, int) {
			bin, err := s.programs()
			check(err)
			before := s.clock.Now()
			defer s.clock.Set(before)
			s.clock.Set(time.Now()) // a process can't use the stack's clock
			return startZen(ctx, bin, dir, environ, args...)
		},
	}
	b.lacks = b.settings.lacks()
	withoutReplica(&b)
	return b
}

// withoutReplica records that replicas are missing if this program was built without them.
func withoutReplica(b *testbed) {
	db, err := libsql.Open(context.Background(), libsql.Options{Target: provider.Target{URL: ":memory:"}})
	if err != nil {
		b.lacks["replica"] = "a system and a build that have embedded replicas: cgo, and Linux, or macOS on arm64"
		return
	}
	_ = db.Close()
}

// alice signs in wherever a page asks for it.
type alice struct{}

// OpenURL implements oauth.Host.
func (alice) OpenURL(ctx context.Context, page, _ string) error {
	if page == "https://example.com" {
		return nil
	}
	go func() {
		err := browse.Visit(ctx, browse.Person{User: "alice@example.test", Password: "alice-dev-password"}, page, io.Discard)
		u, bad := url.Parse(page)
		if err == nil || bad != nil {
			return
		}
		// Otherwise the caller would wait for minutes.
		q := u.Query()
		denial := url.Values{"error": {"access_denied"}, "error_description": {err.Error()}, "state": {q.Get("state")}}
		if res, err := http.Get(q.Get("redirect_uri") + "?" + denial.Encode()); err == nil {
			_ = res.Body.Close()
		}
	}()
	return nil
}

// ShowCode implements oauth.Host.
func (alice) ShowCode(context.Context, string, string, time.Time) error { return nil }

// Progress implements oauth.Host.
func (alice) Progress(context.Context, string) error { return nil }

// AskSecret implements oauth.Host.
func (alice) AskSecret(ctx context.Context, _ string) (provider.Secret, error) {
	<-ctx.Done()
	return provider.Secret{}, ctx.Err()
}

// memory is a keyring that works on every system.
type memory struct {
	mu    sync.Mutex
	items map[string]provider.Secret
}

// Set implements keyringOf.
func (m *memory) Set(_ context.Context, item string, secret provider.Secret) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items = map[string]provider.Secret{item: secret}
	return nil
}

// Get implements keyringOf.
func (m *memory) Get(_ context.Context, item string) (provider.Secret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if secret, ok := m.items[item]; ok {
		return secret, nil
	}
	return provider.Secret{}, store.ErrNoItem
}

// Delete implements keyringOf.
func (m *memory) Delete(_ context.Context, item string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.items, item)
	return nil
}

// isEmpty reports what a run left behind in the stack.
func (s *stack) isEmpty(t *testing.T) {
	t.Helper()
	b := s.testbed("")
	r, err := newRun(t.Context(), b, newRecorder())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range r.kinds() {
		if err := caught(func() {
			for _, o := range k.list(t.Context()) {
				if o.name != "app" && o.name != "alice@example.test" && o.name != "zen" {
					t.Errorf("the %s %s was left behind", k.name, o.name)
				}
			}
		}); err != nil {
			t.Error(err)
		}
	}
}
