package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// newChild returns a session whose renewals are made by another session, as by a child
// process: from a request that was encoded and decoded.
func newChild(t *testing.T) (*session.Session, *fakes, *int) {
	s, h := newFakes(t, nil)
	config, requests := s.Config(), 0
	config.RenewInChild = func(ctx context.Context, o cache.Renewal) error {
		requests++
		text, err := json.Marshal(o)
		if err != nil {
			return err
		}
		var read cache.Renewal
		if err := json.Unmarshal(text, &read); err != nil {
			return err
		}
		return session.New(s.Config()).MakeRenewal(ctx, read, nil)
	}
	return session.New(config), h, &requests
}

func TestRenewalInChild(t *testing.T) {
	s, h, requests := newChild(t)
	h.after(time.Hour)
	wantSent(t, s, "clerk")
	wantSent(t, s, "clerk clerk turso", "clerk") // turso has no credential to lose
	if *requests != 2 || h.providers["clerk"].minted.Load() != 2 || h.providers["turso"].minted.Load() != 1 {
		t.Errorf("%d requests, %d and %d tokens", *requests, h.providers["clerk"].minted.Load(), h.providers["turso"].minted.Load())
	}
}

// unlocked checks that the profile's lock is free when a provider is first used.
type unlocked struct {
	*fakes
	t     *testing.T
	store *store.Store
	begun int
}

func (u *unlocked) Describe(ctx context.Context, name string) (provider.Description, error) {
	if u.begun++; u.begun == 1 {
		soon, cancel := context.WithTimeout(ctx, 20*time.Second) // against a hang, and before the lock's own end
		defer cancel()
		if err := u.store.Lock(soon, "default", func(*store.Locked) error { return nil }); err != nil {
			u.t.Errorf("the lock is held when a provider is used: %v", err)
		}
	}
	return u.fakes.Describe(ctx, name)
}

// On Windows, a zen that can't start providers waits for one that can, which needs the lock.
func TestNoProviderBeginsUnderTheLock(t *testing.T) {
	s, h := newFakes(t, nil)
	h.providers["turso"].life = 20 * time.Second
	wantSent(t, s, "clerk clerk turso", "clerk")
	h.after(25 * time.Second) // turso's token has ended, and no trial is due
	config := s.Config()
	u := &unlocked{fakes: h, t: t, store: store.New(filepath.Dir(filepath.Dir(s.Config().Store.Path("default"))))}
	config.Providers = u
	wantSent(t, session.New(config), "turso", "clerk")
	if u.begun == 0 {
		t.Error("turso was not used")
	}
}

// A new token that is nearly expired is used as it is: with a request of its own, this
// process would put the credential at risk.
func TestShortTokenOfAChildIsUsed(t *testing.T) {
	s, h, requests := newChild(t)
	h.after(time.Hour)
	h.providers["clerk"].life = 2 * time.Second
	if _, err := s.TokenFor(t.Context(), 0); err != nil || *requests != 1 || h.providers["clerk"].minted.Load() != 1 {
		t.Errorf("%d requests, %d tokens, %v", *requests, h.providers["clerk"].minted.Load(), err)
	}
}

func TestFailureInChild(t *testing.T) {
	s, h, _ := newChild(t)
	h.after(time.Hour)
	h.providers["clerk"].err = provider.ErrRejected
	if _, err := s.TokenFor(t.Context(), 0); !errors.Is(err, provider.ErrRejected) {
		t.Errorf("TokenFor: %v, want the child's ErrRejected", err)
	}
	// Without a child, or if it can't run the provider, this process renews the token.
	h.providers["clerk"].err = nil
	for _, kind := range []error{errors.ErrUnsupported, provider.ErrNoProvider} {
		config := s.Config()
		config.RenewInChild = func(context.Context, cache.Renewal) error { return kind }
		h.after(time.Hour)
		wantSent(t, session.New(config), "clerk")
	}
	config := s.Config()
	config.RenewInChild = func(ctx context.Context, _ cache.Renewal) error { <-ctx.Done(); return ctx.Err() }
	h.after(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := session.New(config).TokenFor(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("TokenFor: %v, want context.DeadlineExceeded", err)
	}
}

// Who makes a renewal for another is told when the provider has issued a token, which isn't
// stored yet, and not where there is none.
func TestIssuedIsToldBeforeTheTokenIsStored(t *testing.T) {
	s, h := newFakes(t, nil)
	c := s.Config()
	path := c.Store.Path("default")
	var before []byte
	told := 0
	c.RenewInChild = func(ctx context.Context, r cache.Renewal) error {
		before = read(t, path)
		return session.New(s.Config()).MakeRenewal(ctx, r, func() {
			if told++; h.providers["clerk"].minted.Load() != 1 || !bytes.Equal(read(t, path), before) {
				t.Errorf("told after %d tokens", h.providers["clerk"].minted.Load())
			}
		})
	}
	h.after(time.Hour)
	if _, err := session.New(c).TokenFor(t.Context(), 0); err != nil || told != 1 || bytes.Equal(read(t, path), before) {
		t.Errorf("told %d times, %v", told, err)
	}
	h.after(time.Hour)
	h.providers["clerk"].err = provider.ErrRejected
	if _, err := session.New(c).TokenFor(t.Context(), 0); err == nil || told != 1 {
		t.Errorf("told %d times, %v", told, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
