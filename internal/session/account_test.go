package session_test

import (
	"context"
	"errors"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// accountUI is a UI that answers whether to change to another account.
type accountUI struct {
	session.UI
	keep  bool
	asked []string
}

func (d *accountUI) ConfirmAccount(_ context.Context, provider, before, now string) (bool, error) {
	d.asked = append(d.asked, provider+": "+before+" -> "+now)
	return d.keep, nil
}

// accountFake is a provider that signs in with the account that the test sets.
type accountFake struct {
	*fake
	subject, name string
}

func (i *accountFake) Identity(context.Context, string) (provider.Identity, error) { return i, nil }
func (i *accountFake) Login(ctx context.Context, _ provider.LoginRequest, host provider.Host) error {
	return host.Store(ctx, provider.SignIn{
		Credential: provider.Credential{Data: provider.NewSecret("credential of " + i.name), Subject: i.name},
		Claims:     provider.Claims{Subject: i.subject},
	})
}

func TestAnotherAccountIsAskedAbout(t *testing.T) {
	i := &accountFake{}
	s, f := newSession(t, func(c *session.Config) { c.Providers = i })
	i.fake = f
	ui := &accountUI{}
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
	for _, name := range []string{"clerk", "clerk"} { // the first account, and the same again
		if err := login(name, "user_1", "alice"); err != nil || len(ui.asked) != 0 {
			t.Fatalf("%v, asked %q", err, ui.asked)
		}
	}
	if err := login("clerk", "user_2", "bob"); !errors.Is(err, provider.ErrNoCredential) || stored("clerk") != "credential of alice" {
		t.Errorf("after a no: %v, stored: %s", err, stored("clerk"))
	}
	// The e-mail address can be chosen by the user; the issuer's subject identifies the
	// account.
	if err := login("clerk", "user_2", "alice"); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("the same address of another account: %v", err)
	}
	ui.keep = true
	if err := login("clerk", "user_2", "bob"); err != nil || stored("clerk") != "credential of bob" {
		t.Errorf("after a yes: %v, stored: %s", err, stored("clerk"))
	}
	if want := "clerk: alice (user_1) -> bob (user_2)"; len(ui.asked) != 3 || ui.asked[2] != want {
		t.Errorf("asked %q, want %q as the third question", ui.asked, want)
	}
	if err := login("auth0", "auth0|3", "carol"); err != nil || len(ui.asked) != 3 {
		t.Errorf("after signing in with another provider: %v, asked %q", err, ui.asked)
	}
}
