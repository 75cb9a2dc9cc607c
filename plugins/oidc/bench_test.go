package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

const testAudience = "https://vault.example.test"

// bench is a local stack whose OpenID issuer and CI the provider uses.
type bench struct {
	*devstack.Stack
	t *testing.T
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	b.Stack = devstacktest.Start(t, devstack.Options{})
	return b
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

// people returns the settings for people, with changes given as pairs.
func (b *bench) people(changes ...string) provider.Settings {
	return values(map[string]string{keyIssuer: b.OIDC.Address(), keyClientID: "zen"}, changes...)
}

// job returns the settings of a job of a CI system, as zen reads them from its environment.
func (b *bench) job(system string, changes ...string) provider.Settings {
	b.t.Helper()
	all := map[string]string{keyWorkloadIssuer: b.CI.Issuer(system)}
	found, err := b.CI.Environment(system, testAudience)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, v := range found {
		for _, f := range fields() {
			if slices.Contains(f.Env, v.Name) || v.Name == "ZEN_OIDC__"+strings.ToUpper(f.Key) {
				all[f.Key] = v.Value
			}
		}
	}
	return values(all, changes...)
}

func values(all map[string]string, changes ...string) provider.Settings {
	all = maps.Clone(all)
	for i := 0; i < len(changes); i += 2 {
		all[changes[i]] = changes[i+1]
	}
	settings := provider.Settings{}
	for key, value := range all {
		if value != "" {
			settings[key] = provider.NewSecret(value)
		}
	}
	return settings
}

func configured(t *testing.T, settings provider.Settings) *oidcProvider {
	t.Helper()
	p := newProvider("test")
	if _, err := p.Configure(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	return p
}

// host is zen, with a person at a browser.
type host struct {
	t    *testing.T
	user string

	mu     sync.Mutex
	told   []string
	opened []string
	ended  string
	stored []provider.SignIn
	visits sync.WaitGroup
}

func (h *host) OpenURL(_ context.Context, address, _ string) error {
	h.mu.Lock()
	h.opened = append(h.opened, address)
	h.mu.Unlock()
	if h.user == "" {
		return nil
	}
	h.visits.Go(func() {
		ended, err := (&browse.Browser{Person: browse.Person{User: h.user}}).Visit(h.t.Context(), address)
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

func (h *host) ShowCode(_ context.Context, code, address string, _ time.Time) error {
	return h.Progress(context.Background(), "type "+code+" at "+address)
}

func (h *host) Progress(_ context.Context, text string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, text)
	return nil
}

func (h *host) Ask(context.Context, string) (string, error) { return "", provider.ErrNoCredential }

func (h *host) AskSecret(context.Context, string) (provider.Secret, error) {
	return provider.Secret{}, provider.ErrNoCredential
}

func (h *host) Store(_ context.Context, result provider.SignIn) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stored = append(h.stored, result)
	return nil
}

// login signs alice, or the job, in.
func (b *bench) login(p *oidcProvider, method string) (provider.SignIn, *host) {
	b.t.Helper()
	h := &host{t: b.t, user: "alice"}
	err := p.Login(b.t.Context(), provider.LoginRequest{Method: method, Interactive: true}, h)
	h.visits.Wait()
	if err != nil || len(h.stored) != 1 {
		b.t.Fatalf("sign in: %v (hint: %s), stored %d times; the browser ended at %s", err, provider.Hint(err), len(h.stored), h.ended)
	}
	return h.stored[0], h
}

// fails checks that err has a class, and words in its text or hint.
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
	if strings.Contains(all, "planted") || strings.Contains(all, "eyJ") {
		t.Errorf("%s: %s contains a secret", what, all)
	}
}
