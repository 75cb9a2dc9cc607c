package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

const alice = "alice@example.test"

// bench is a local stack whose Clerk instance the provider uses.
type bench struct {
	*devstack.Stack
	t *testing.T
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{t: t, Stack: devstacktest.Start(t, devstack.Options{})}
}

// with switches faults of the stack on, until it is called again.
func (b *bench) with(faults ...string) {
	b.t.Helper()
	for _, f := range devstack.Faults() {
		if err := b.Faults.Switch(f.Name, false); err != nil {
			b.t.Fatal(err)
		}
	}
	for _, name := range faults {
		if err := b.Faults.Switch(name, true); err != nil {
			b.t.Fatal(err)
		}
	}
}

// provider returns a provider of the instance, without a bridge page.
func (b *bench) provider(settings ...string) *clerkProvider {
	b.t.Helper()
	values := provider.Settings{keyPublishableKey: provider.NewSecret(b.Clerk.PublishableKey())}
	for i := 0; i < len(settings); i += 2 {
		values[settings[i]] = provider.NewSecret(settings[i+1])
	}
	p := newProvider("test")
	if _, err := p.Configure(b.t.Context(), values); err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) target() provider.Target {
	return provider.Target{URL: b.DatabaseURL(), DatabaseID: b.DatabaseID()}
}

// ticket signs a person in with a ticket from the Backend API.
func (b *bench) ticket(p *clerkProvider, email string) provider.Credential {
	b.t.Helper()
	backend := clerk.NewBackend(b.Clerk.BackendURL(), provider.NewSecret(b.Clerk.SecretKey()), p.client, "test")
	ticket, err := backend.SignInToken(b.t.Context(), b.Clerk.UserID(email), 30*time.Second)
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := p.frontend.SignIn(b.t.Context(), ticket)
	if err != nil {
		b.t.Fatal(err)
	}
	return p.sessionCredential(stored{session: s}, email, time.Now())
}

// person is zen with a person in front of it: at a browser if browses is set, and with
// answers to prompts.
type person struct {
	t       *testing.T
	browses browse.Person
	answer  func(question string) (string, error)

	mu     sync.Mutex
	opened []string
	told   []string
	asked  []string
	ended  string
	stored []provider.SignIn
	visits sync.WaitGroup
}

func (h *person) OpenURL(_ context.Context, address, _ string) error {
	h.mu.Lock()
	h.opened = append(h.opened, address)
	h.mu.Unlock()
	if h.browses.User == "" {
		return nil
	}
	h.visits.Go(func() {
		ended, err := (&browse.Browser{Person: h.browses}).Visit(h.t.Context(), address)
		h.mu.Lock()
		defer h.mu.Unlock()
		if err != nil {
			h.ended = err.Error()
			return
		}
		h.ended = ended.String()
	})
	return nil
}

func (h *person) ShowCode(ctx context.Context, code, address string, _ time.Time) error {
	return h.Progress(ctx, "type "+code+" at "+address)
}

func (h *person) Progress(_ context.Context, text string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, text)
	return nil
}

func (h *person) Ask(_ context.Context, question string) (string, error) {
	h.mu.Lock()
	h.asked = append(h.asked, question)
	h.mu.Unlock()
	if h.answer == nil || strings.Contains(question, "ended at") {
		return "", provider.ErrNoCredential
	}
	return h.answer(question)
}

func (h *person) AskSecret(ctx context.Context, question string) (provider.Secret, error) {
	answer, err := h.Ask(ctx, question)
	return provider.NewSecret(answer), err
}

func (h *person) Store(_ context.Context, result provider.SignIn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stored = append(h.stored, result)
	return nil
}

// fails checks that err has a class, words in its text or hint, and no secret.
func fails(t *testing.T, what string, err, kind error, words ...string) {
	t.Helper()
	all := fmt.Sprint(err) + " / " + provider.Hint(err)
	for _, word := range words {
		if !strings.Contains(all, word) {
			t.Errorf("%s: %s\nwant %q in it", what, all, word)
		}
	}
	if !errors.Is(err, kind) {
		t.Errorf("%s: %s\nwant %v", what, all, kind)
	}
	if strings.Contains(all, "planted") || strings.Contains(all, "eyJ") || strings.Contains(all, "sk_test_") {
		t.Errorf("%s: %s contains a secret", what, all)
	}
}
