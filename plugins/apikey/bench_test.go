package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/clerk"
)

const databaseID = "33057661-834e-4891-9b48-802d425d02b9"

// bench is an instance of the local stack's Clerk, and a clock that tests move.
type bench struct {
	*clerk.Instance
	t     *testing.T
	fault atomic.Value // the name of the active fault
	alice string

	mu    sync.Mutex // guards clock
	clock time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, clock: time.Now()}
	b.fault.Store("")
	instance, err := clerk.New(clerk.Options{
		Now: b.now, Fault: func(name string) bool { return name == b.fault.Load() },
		Templates: []clerk.Template{
			{Name: "turso", Claims: json.RawMessage(`{"id":"` + databaseID + `","a":"rw","rid":"r-1"}`)},
			{Name: "turso-ro", Claims: json.RawMessage(`{"id":"` + databaseID + `","a":"ro","rid":"r-2"}`)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(instance.Handler())
	t.Cleanup(server.Close)
	if err := instance.SetBaseURL(server.URL); err != nil {
		t.Fatal(err)
	}
	b.Instance, b.alice = instance, instance.UserID("alice@example.test")
	return b
}

func (b *bench) now() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.clock }
func (b *bench) after(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

// key creates an API key for alice, as a backend does.
func (b *bench) key(k clerk.APIKey) (id, secret string) {
	b.t.Helper()
	k.Name = "deploy"
	if k.Subject == "" {
		k.Subject = b.alice
	}
	id, secret, err := b.AddAPIKey(k)
	if err != nil {
		b.t.Fatal(err)
	}
	return id, secret
}

func write() clerk.APIKey { return clerk.APIKey{Scopes: []string{"db:write"}} }

// provider returns a configured provider of the instance, on a server that has its secret
// key.
func (b *bench) provider(settings ...string) *apiKey {
	b.t.Helper()
	values := provider.Settings{
		keyPublishableKey:   provider.NewSecret(b.PublishableKey()),
		keySecretKey:        provider.NewSecret(b.SecretKey()),
		keyBackendURL:       provider.NewSecret(strings.TrimSuffix(b.BackendURL(), "/v1")),
		keyReadOnlyTemplate: provider.NewSecret("turso-ro"),
	}
	for i := 0; i+1 < len(settings); i += 2 {
		if settings[i+1] == "" {
			delete(values, settings[i])
			continue
		}
		values[settings[i]] = provider.NewSecret(settings[i+1])
	}
	p := newProvider("1.2.3")
	p.now = b.now
	if _, err := p.Configure(b.t.Context(), values); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// sessions returns the number of alice's active sessions.
func (b *bench) sessions() int { return len(b.SessionIDs(b.alice)) }

// person is a host with a person at the terminal, who types answer.
type person struct {
	provider.Host // unexpected calls panic
	answer        string
	stored        []provider.SignIn
	storeErr      error
}

func (*person) Progress(context.Context, string) error { return nil }

func (h *person) AskSecret(context.Context, string) (provider.Secret, error) {
	if h.answer == "" {
		return provider.Secret{}, provider.ErrNoCredential
	}
	return provider.NewSecret(h.answer), nil
}

func (h *person) Store(_ context.Context, result provider.SignIn) error {
	if h.storeErr == nil {
		h.stored = append(h.stored, result)
	}
	return h.storeErr
}

var target = provider.Target{URL: "libsql://app-acme.turso.io", DatabaseID: databaseID}

// signIn signs in with a key and returns what was stored.
func (b *bench) signIn(p *apiKey, secret string, req provider.LoginRequest) provider.SignIn {
	b.t.Helper()
	host := &person{answer: secret}
	if err := p.Login(b.t.Context(), req, host); err != nil {
		b.t.Fatal(err)
	}
	if len(host.stored) != 1 {
		b.t.Fatalf("%d results were stored", len(host.stored))
	}
	return host.stored[0]
}
