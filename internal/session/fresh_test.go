package session_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// A token that lives for a minute is renewed in the background from 18 s before its end, and
// no caller waits for the renewal.
func TestTokenInUseIsRenewedAheadOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := newFakes(t, nil)
		clerk := h.providers["clerk"]
		held := make(chan struct{})
		clerk.before = func() { <-held }
		first, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.after(41 * time.Second)
		for range 3 {
			if token, err := s.Token(t.Context()); err != nil || !token.Value.Equal(first.Value) {
				t.Fatal("a caller waited for another token, or got one too early")
			}
		}
		if clerk.minted.Load() != 0 {
			t.Fatal("renewed too early")
		}
		h.after(2 * time.Second)
		for range 3 {
			if token, err := s.Token(t.Context()); err != nil || !token.Value.Equal(first.Value) {
				t.Fatal("a caller waited for the renewal")
			}
		}
		close(held)
		synctest.Wait()
		if token, err := s.Token(t.Context()); err != nil || token.Value.Equal(first.Value) {
			t.Errorf("after the renewal: the same token, %v", err)
		}
		if n := clerk.minted.Load(); n != 1 {
			t.Errorf("%d renewals", n)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A program that runs only briefly uses the token as it is.
func TestAgedTokenIsNotRenewedAheadOfTime(t *testing.T) {
	s, h := newFakes(t, nil)
	h.after(45 * time.Second)
	for range 3 {
		if _, err := s.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(t.Context()); err != nil || h.providers["clerk"].minted.Load() != 0 {
		t.Errorf("%d renewals, %v", h.providers["clerk"].minted.Load(), err)
	}
}

// A failed renewal ahead of time is retried while the token is still good, but not at every
// use.
func TestFailedRenewalAheadIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := newFakes(t, func(c *session.Config, _ *fakes) { c.Fallback = nil })
		clerk := h.providers["clerk"]
		clerk.err = provider.ErrUnavailable
		use := func() {
			t.Helper()
			for range 20 {
				if _, err := s.Token(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
		}
		use()
		h.after(43 * time.Second)
		use()
		if n := clerk.minted.Load(); n != 1 {
			t.Errorf("%d attempts, want 1", n)
		}
		use()
		h.after(3 * time.Second)
		use()
		if n := clerk.minted.Load(); n != 2 {
			t.Errorf("%d attempts, want 2", n)
		}
		h.after(3 * time.Second) // 49 s: too late to be handed out
		if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
			t.Errorf("Token: %v, want ErrUnavailable", err)
		}
	})
}

// When many requests find the issuer unreachable, two attempts serve all of them, and a later
// request tries again.
func TestAnOutageIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := newFakes(t, func(c *session.Config, _ *fakes) { c.Fallback = nil })
		clerk := h.providers["clerk"]
		clerk.err = &provider.Error{Kind: provider.ErrUnavailable, Message: "clerk: no answer"}
		held := make(chan struct{})
		clerk.before = func() { <-held }
		h.after(2 * time.Minute)
		var requests sync.WaitGroup
		for range 20 {
			requests.Go(func() {
				if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
					t.Errorf("Token: %v, want ErrUnavailable", err)
				}
			})
		}
		synctest.Wait() // one sends a request, and the others wait for it
		close(held)
		requests.Wait()
		if n := clerk.minted.Load(); n == 0 || n > 2 {
			t.Errorf("%d requests to the issuer, want 1 or 2", n)
		}
		clerk.err = nil
		if _, err := s.Token(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Close waits for a running renewal, so that its credential is stored.
func TestCloseWaitsForTheRenewal(t *testing.T) {
	s, h := newFakes(t, nil)
	clerk := h.providers["clerk"]
	began, held := make(chan struct{}), make(chan struct{})
	clerk.before = func() { close(began); <-held }
	if _, err := s.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.after(43 * time.Second)
	if _, err := s.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-began
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Close(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close did not wait: %v", err)
	}
	close(held)
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	record, err := s.Config().Store.Load("default")
	if err != nil || clerk.minted.Load() != 1 || record.Accounts["clerk"].Refreshed.IsZero() {
		t.Errorf("%d renewals, refreshed %s, %v", clerk.minted.Load(), record.Accounts["clerk"].Refreshed, err)
	}
}

// The clock may be changed between two uses; only its present value counts.
func TestClockThatSteps(t *testing.T) {
	for name, test := range map[string]struct {
		step    time.Duration
		renewed bool
	}{
		"the machine slept through the token's life": {time.Hour, true},
		"forward, to its end":                        {time.Minute, true},
		"back, as a time server does it":             {-2 * time.Second, false},
		"back, before the token was issued":          {-time.Hour, true},
		"forward, within the token's life":           {10 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, h := newFakes(t, nil)
			first, err := s.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			h.after(test.step)
			token, err := s.Token(t.Context())
			if err != nil || token.Value.Equal(first.Value) == test.renewed {
				t.Errorf("got another token: %v, %v", !token.Value.Equal(first.Value), err)
			}
			again, err := s.Token(t.Context())
			if err != nil || !again.Value.Equal(token.Value) || h.providers["clerk"].minted.Load() > 1 {
				t.Errorf("%d renewals, %v", h.providers["clerk"].minted.Load(), err)
			}
		})
	}
}

func TestNewTokenOfAnotherTimeReportsTheClock(t *testing.T) {
	for offset, want := range map[time.Duration]string{
		5 * time.Minute:  "this machine's clock is 5m0s behind that of https://issuer",
		-5 * time.Minute: "this machine's clock is 5m0s ahead of that of https://issuer",
		time.Second:      "",
	} {
		s, f := newSession(t, nil)
		login(t, s, f, "clerk")
		f.now, f.verify = f.now.Add(time.Hour), provider.ErrTokenInvalid
		f.minting = func(token *provider.Token) { token.Issued = f.now.Add(offset) }
		_, err := s.Token(t.Context())
		if !errors.Is(err, provider.ErrTokenInvalid) || strings.Contains(err.Error(), "this machine's clock") != (want != "") || !strings.Contains(err.Error(), want) {
			t.Errorf("clock off by %s: %v", offset, err)
		}
	}
}

// Another process that doesn't share the lock has renewed the credential: its credential is
// used, and the sign-in isn't given up.
func TestCredentialOfAnotherProcessIsUsed(t *testing.T) {
	for name, test := range map[string]struct {
		token bool // the other process has stored a token, too
		want  string
	}{"with its token": {true, "others"}, "without a token": {false, "minted-2"}} {
		t.Run(name, func(t *testing.T) {
			s, f := newSession(t, nil)
			login(t, s, f, "clerk")
			f.now = f.now.Add(time.Hour)
			f.err = provider.ErrRejected
			f.minting = func(*provider.Token) {
				f.minting = nil
				record, err := s.Config().Store.Load("default")
				if err != nil {
					t.Fatal(err)
				}
				account := record.Accounts["clerk"]
				account.Credential.Data = provider.NewSecret("the other's")
				record.Accounts["clerk"] = account
				for key := range record.Tokens {
					if test.token {
						record.Tokens[key] = f.token("others")
					}
				}
				overwrite(t, s.Config().Store, record)
				f.err = nil
				f.failOnce = provider.ErrRejected
			}
			wantToken(t, s, test.want)
			if !test.token && f.seen.Credential.Data.Reveal() != "the other's" {
				t.Errorf("the second attempt used %q", f.seen.Credential.Data.Reveal())
			}
		})
	}
}

// overwrite replaces the record without its lock, as on a file system without locks.
func overwrite(t *testing.T, s *store.Store, record store.Record) {
	t.Helper()
	other := store.New(t.TempDir())
	err := other.Lock(t.Context(), "default", func(l *store.Locked) error {
		l.Record = record
		return l.Save()
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other.Path("default"), s.Path("default")); err != nil {
		t.Fatal(err)
	}
}

func TestRejectionDeletesNothing(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	f.now, f.err = f.now.Add(time.Hour), provider.ErrRejected
	if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrRejected) {
		t.Fatal(err)
	}
	f.err = nil // it was an outage that looked like a rejection
	wantToken(t, s, "minted-2")
	if got := f.seen.Credential.Data.Reveal(); got != "credential-0" {
		t.Errorf("the request used %q", got)
	}
}

// With jitter, a token is renewed within a quarter of the margin, always at the same time in
// one process.
func TestJitter(t *testing.T) {
	s, f := newSession(t, func(c *session.Config) { c.Jitter = nil })
	login(t, s, f, "clerk")
	start := f.now
	var moments []time.Duration
	for range 3 {
		if _, err := s.Login(t.Context(), "clerk", provider.LoginRequest{}, nil, store.Plan{}); err != nil {
			t.Fatal(err)
		}
		for after := 40 * time.Second; ; after += 10 * time.Millisecond {
			f.now = start.Add(after)
			if token, err := session.New(s.Config()).Token(t.Context()); err != nil || token.Value.Reveal() != "first" {
				moments = append(moments, after)
				break
			}
		}
		f.now = start
	}
	if moments[0] != moments[1] || moments[1] != moments[2] || moments[0] < 45*time.Second || moments[0] > 48*time.Second {
		t.Errorf("renewed after %v", moments)
	}
}
