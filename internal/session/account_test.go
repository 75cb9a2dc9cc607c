package session_test

import (
	"context"
	"errors"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// doorkeeper is a UI that is asked about another account.
type doorkeeper struct {
	session.UI
	keep  bool
	asked []string
}

func (d *doorkeeper) ConfirmAccount(_ context.Context, provider, before, now string) (bool, error) {
	d.asked = append(d.asked, provider+": "+before+" -> "+now)
	return d.keep, nil
}

// impostor signs in as whoever it is told.
type impostor struct {
	*fake
	subject, name string
}

func (i *impostor) Identity(context.Context, string) (provider.Identity, error) { return i, nil }
func (i *impostor) Login(ctx context.Context, _ provider.LoginRequest, host provider.Host) error {
	return host.Store(ctx, provider.SignIn{
		Credential: provider.Credential{Data: provider.NewSecret("credential of " + i.name), Subject: i.name},
		Claims:     provider.Claims{Subject: i.subject},
	})
}

func TestAnotherAccountIsAskedAbout(t *testing.T) {
	i := &impostor{}
	s, f := newSession(t, func(c *session.Config) { c.Providers = i })
	i.fake = f
	ui := &doorkeeper{}
	login := func(name, subject, called string) error {
		i.subject, i.name = subject, called
		_, err := s.Login(t.Context(), name, provider.LoginRequest{}, ui, store.Plan{})
		return err
	}
	stored := func(name string) string {
		t.Helper()
		record, err := s.Config().Store.LoadContext(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		return record.Accounts[name].Credential.Data.Reveal()
	}
	for _, name := range []string{"clerk", "clerk"} { // the first one, and the same again
		if err := login(name, "user_1", "alice"); err != nil || len(ui.asked) != 0 {
			t.Fatalf("%v, asked %q", err, ui.asked)
		}
	}
	if err := login("clerk", "user_2", "bob"); !errors.Is(err, provider.ErrNoCredential) || stored("clerk") != "credential of alice" {
		t.Errorf("a no: %v, stored is the %s", err, stored("clerk"))
	}
	// The address is what the issuer lets people choose; its own name for them counts.
	if err := login("clerk", "user_2", "alice"); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("the same address of another account: %v", err)
	}
	ui.keep = true
	if err := login("clerk", "user_2", "bob"); err != nil || stored("clerk") != "credential of bob" {
		t.Errorf("a yes: %v, stored is the %s", err, stored("clerk"))
	}
	if want := "clerk: alice (user_1) -> bob (user_2)"; len(ui.asked) != 3 || ui.asked[2] != want {
		t.Errorf("asked %q, want %q at last", ui.asked, want)
	}
	if err := login("auth0", "auth0|3", "carol"); err != nil || len(ui.asked) != 3 {
		t.Errorf("another provider has names of its own: %v, asked %q", err, ui.asked)
	}
}
