package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/clerk"
)

// reader answers the prompts in the terminal with the address, the last code mailed to
// it, and an authenticator's code.
func (b *bench) reader(address, totp string) *person {
	return &person{t: b.t, answer: func(question string) (string, error) {
		switch {
		case strings.Contains(question, "E-mail address"):
			return " " + address, nil
		case strings.Contains(question, "authenticator"):
			return clerk.TOTP(totp, time.Now())
		case strings.Contains(question, "Code that was sent to"):
			return b.Mails(address)[0].Code, nil
		}
		return "", errors.New("asked for " + question)
	}}
}

func TestLoginByEmail(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	h := b.reader(alice, "")
	if err := p.Login(t.Context(), provider.LoginRequest{Interactive: true, Target: b.target()}, h); err != nil {
		t.Fatalf("Login = %v (hint: %s); asked %q", err, provider.Hint(err), h.asked)
	}
	got := h.stored[0]
	if got.Credential.Subject != alice || got.Token == nil || got.Claims.Session == "" || len(h.opened) != 0 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(h.told[0], "signing in by email, as neither bridge_url nor oauth_client_id is set") {
		t.Errorf("told %q", h.told)
	}
	// The result is the same as the bridge's.
	response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: b.target()})
	if err != nil {
		t.Fatal(err)
	}
	credential := got.Credential
	if response.Credential != nil {
		credential = *response.Credential
	}
	if assertion, _, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: credential}); err != nil || assertion.Value.IsZero() {
		t.Errorf("Assertion = %v, %v", assertion, err)
	}
	if err := p.Revoke(t.Context(), credential); err != nil {
		t.Error(err)
	}
}

func TestLoginByEmailFails(t *testing.T) {
	b := newBench(t)
	for name, test := range map[string]struct {
		fault, address string
		kind           error
		words          []string
	}{
		"sso":        {clerk.FaultSSOOnly, alice, provider.ErrRejected, []string{"oauth_google", "--method bridge or oauth"}},
		"protect":    {clerk.FaultProtectCheck, alice, provider.ErrRejected, []string{"only a browser can do"}},
		"banned":     {clerk.FaultUserBanned, alice, provider.ErrRejected, []string{"user_banned", "let you in again"}},
		"native":     {clerk.FaultNativeDisabled, alice, provider.ErrConfig, []string{"Native API"}},
		"down":       {clerk.FaultUnavailable, alice, provider.ErrUnavailable, nil},
		"no account": {"", "nobody@example.test", provider.ErrRejected, []string{"account of this app"}},
		"no address": {"", "", provider.ErrNoCredential, []string{"no e-mail address"}},
	} {
		t.Run(name, func(t *testing.T) {
			b.with()
			if test.fault != "" {
				b.with(test.fault)
			}
			h := b.reader(test.address, "")
			err := b.provider().Login(t.Context(), provider.LoginRequest{Interactive: true, Method: methodEmail}, h)
			fails(t, name, err, test.kind, test.words...)
			if len(h.stored) != 0 {
				t.Error("it was stored all the same")
			}
		})
	}
}

// Confirming a new device takes another code.
func TestLoginByEmailConfirmsTheDevice(t *testing.T) {
	b := newBench(t)
	h := b.reader(alice, "")
	first := h.answer
	h.answer = func(question string) (string, error) {
		if strings.Contains(question, "Code that was sent to") && len(h.asked) > 2 {
			b.with() // with the fault on, Clerk would ask again after each answer
		}
		return first(question)
	}
	b.with(clerk.FaultClientTrust)
	if err := b.provider().Login(t.Context(), provider.LoginRequest{Interactive: true, Method: methodEmail}, h); err != nil {
		t.Fatalf("Login = %v; asked %q", err, h.asked)
	}
	if len(h.asked) != 3 || len(b.Mails(alice)) != 2 {
		t.Errorf("asked %q, %d mails", h.asked, len(b.Mails(alice)))
	}
}

func TestLoginByEmailAndASecondFactor(t *testing.T) {
	const secret = "JBSWY3DPEHPK3PXP"
	b := newBench(t)
	if _, err := b.Clerk.AddUser(clerk.User{
		Email: "carol@example.test", SecondFactors: []string{"totp", "backup_code"}, TOTPSecret: secret, BackupCodes: []string{"planted-backup"},
		Memberships: []clerk.Membership{{Organization: "acme", Role: "org:member"}},
	}); err != nil {
		t.Fatal(err)
	}
	p := b.provider()
	h := b.reader("carol@example.test", secret)
	if err := p.Login(t.Context(), provider.LoginRequest{Interactive: true, Method: methodEmail, Target: b.target()}, h); err != nil {
		t.Fatalf("Login = %v (hint: %s); asked %q", err, provider.Hint(err), h.asked)
	}
	if h.stored[0].Token == nil || len(h.asked) != 3 || !strings.Contains(h.asked[2], "or a backup code") {
		t.Errorf("asked %q", h.asked)
	}
	// Without the authenticator, a backup code is accepted.
	h = b.reader("carol@example.test", secret)
	first := h.answer
	h.answer = func(question string) (string, error) {
		if strings.Contains(question, "authenticator") {
			return "planted-backup", nil
		}
		return first(question)
	}
	if err := p.Login(t.Context(), provider.LoginRequest{Interactive: true, Method: methodEmail}, h); err != nil {
		t.Error(err)
	}
	// A backup code can be used only once.
	h.stored = nil
	err := p.Login(t.Context(), provider.LoginRequest{Interactive: true, Method: methodEmail}, h)
	fails(t, "a spent backup code", err, provider.ErrRejected, "was right")
	if len(h.stored) != 0 {
		t.Error("it was stored all the same")
	}
}

// After a wrong code zen asks again; after a rate limit it waits.
func TestLoginByEmailIsPatient(t *testing.T) {
	b := newBench(t)
	h := b.reader(alice, "")
	first, wrong := h.answer, true
	h.answer = func(question string) (string, error) {
		if strings.Contains(question, "Code that was sent to") && wrong {
			wrong = false
			return "000 000", nil
		}
		return first(question)
	}
	p := b.provider()
	var waited []time.Duration
	p.wait = func(_ context.Context, d time.Duration) error {
		waited = append(waited, d)
		b.with()
		return nil
	}
	b.with(clerk.FaultCodeLimited)
	if err := p.Login(t.Context(), provider.LoginRequest{Interactive: true, Method: methodEmail}, h); err != nil {
		t.Fatal(err)
	}
	if len(waited) != 1 || waited[0] != 30*time.Second || !strings.HasPrefix(h.asked[len(h.asked)-1], "That was not it. ") {
		t.Errorf("waited %v, asked %q", waited, h.asked)
	}
	// The number of waits is limited.
	p.wait = func(context.Context, time.Duration) error { waited = append(waited, 0); return nil }
	b.with(clerk.FaultCodeLimited)
	err := p.Login(t.Context(), provider.LoginRequest{Interactive: true, Method: methodEmail}, b.reader(alice, ""))
	fails(t, "limited", err, provider.ErrUnavailable, "verification_code_too_many_requests")
	if len(waited) != 1+maxWaits {
		t.Errorf("waited %d times", len(waited))
	}
	if provider.RetryAfter(err) != 30*time.Second {
		t.Error("the error lacks the time to wait")
	}
}

// Session tokens that open no database don't limit other providers, which may issue
// tokens for the same person. Those that name a database do.
func TestClosedSessionTokensLimitNobody(t *testing.T) {
	b := newBench(t)
	for claims, want := range map[string]bool{closedClaims: false, `{"id": "` + b.DatabaseID() + `", "a": "ro"}`: true} {
		if err := b.Clerk.SetSessionClaims(json.RawMessage(claims)); err != nil {
			t.Fatal(err)
		}
		h := b.reader(alice, "")
		if err := b.provider().Login(t.Context(), provider.LoginRequest{Interactive: true}, h); err != nil {
			t.Fatal(err)
		}
		if got := h.stored[0].Claims.Database; (got != nil) != want {
			t.Errorf("with %s in session tokens the sign-in has the claims %+v", claims, got)
		}
	}
}
