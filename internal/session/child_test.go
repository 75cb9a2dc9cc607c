package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// carried returns a session whose renewals another session makes, as another process
// does: from an order that was written and read.
func carried(t *testing.T) (*session.Session, *house, *int) {
	s, h := newHouse(t, nil)
	config, orders := s.Config(), 0
	config.RenewInChild = func(ctx context.Context, o session.RenewalRequest) error {
		orders++
		text, err := json.Marshal(o)
		if err != nil {
			return err
		}
		var read session.RenewalRequest
		if err := json.Unmarshal(text, &read); err != nil {
			return err
		}
		return session.New(s.Config()).MakeRenewal(ctx, read)
	}
	return session.New(config), h, &orders
}

func TestRenewalElsewhere(t *testing.T) {
	s, h, orders := carried(t)
	h.after(time.Hour)
	wantSent(t, s, "clerk")
	wantSent(t, s, "clerk clerk turso", "clerk") // turso has no credential to lose
	if *orders != 2 || h.makers["clerk"].minted.Load() != 2 || h.makers["turso"].minted.Load() != 1 {
		t.Errorf("%d orders, %d and %d tokens", *orders, h.makers["clerk"].minted.Load(), h.makers["turso"].minted.Load())
	}
}

// unlocked are providers that begin to be used while nobody holds the profile's lock.
type unlocked struct {
	*house
	t     *testing.T
	store *store.Store
	begun int
}

func (u *unlocked) Describe(ctx context.Context, name string) (provider.Description, error) {
	if u.begun++; u.begun == 1 {
		soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if err := u.store.Lock(soon, "default", func(*store.Locked) error { return nil }); err != nil {
			u.t.Errorf("the lock is held: %v", err)
		}
	}
	return u.house.Describe(ctx, name)
}

// On Windows, a zen that can't start providers waits for one that can, which wants
// the lock.
func TestNoProviderBeginsUnderTheLock(t *testing.T) {
	s, h := newHouse(t, nil)
	h.makers["turso"].life = 20 * time.Second
	wantSent(t, s, "clerk clerk turso", "clerk")
	h.after(25 * time.Second) // turso's token has ended, and no probe is due
	config := s.Config()
	u := &unlocked{house: h, t: t, store: store.New(filepath.Dir(filepath.Dir(s.Config().Store.Path("default"))))}
	config.Providers = u
	wantSent(t, session.New(config), "turso", "clerk")
	if u.begun == 0 {
		t.Error("turso was not begun")
	}
}

// A token that is nearly at its end when it is made is what there is: asking for
// another would have this process put the credential at stake.
func TestShortTokenFromElsewhereIsTakenAsItIs(t *testing.T) {
	s, h, orders := carried(t)
	h.after(time.Hour)
	h.makers["clerk"].life = 2 * time.Second
	if _, err := s.TokenFor(t.Context(), 0); err != nil || *orders != 1 || h.makers["clerk"].minted.Load() != 1 {
		t.Errorf("%d orders, %d tokens, %v", *orders, h.makers["clerk"].minted.Load(), err)
	}
}

func TestFailureElsewhere(t *testing.T) {
	s, h, _ := carried(t)
	h.after(time.Hour)
	h.makers["clerk"].err = provider.ErrRejected
	if _, err := s.TokenFor(t.Context(), 0); !errors.Is(err, provider.ErrRejected) {
		t.Errorf("err = %v", err)
	}
	// If there is no elsewhere, or no provider that may run there, it is here.
	h.makers["clerk"].err = nil
	for _, kind := range []error{errors.ErrUnsupported, provider.ErrNoProvider} {
		config := s.Config()
		config.RenewInChild = func(context.Context, session.RenewalRequest) error { return kind }
		h.after(time.Hour)
		wantSent(t, session.New(config), "clerk")
	}
	config := s.Config()
	config.RenewInChild = func(ctx context.Context, _ session.RenewalRequest) error { <-ctx.Done(); return ctx.Err() }
	h.after(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := session.New(config).TokenFor(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}
