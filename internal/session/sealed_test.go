package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// ring is a keyring that counts its reads.
type ring struct {
	items map[string]provider.Secret
	reads int
	// down is the error of every call.
	down error
}

func (r *ring) Get(_ context.Context, item string) (provider.Secret, error) {
	r.reads++
	if r.down != nil {
		return provider.Secret{}, r.down
	}
	if secret, ok := r.items[item]; ok {
		return secret, nil
	}
	return provider.Secret{}, store.ErrNoItem
}

func (r *ring) Set(_ context.Context, item string, secret provider.Secret) error {
	r.items[item] = secret
	return nil
}

func (r *ring) Delete(_ context.Context, item string) error {
	if r.down == nil {
		delete(r.items, item)
	}
	return r.down
}

func (r *ring) Probe(context.Context) error { return r.down }

// holding is a verifier with the key set on disk.
type holding struct {
	verifier
	err error
}

func (h holding) HoldsKey(_ context.Context, v provider.Verification, keyID string) error {
	if h.err == nil && (v.Issuer != "https://issuer" || keyID != "ins_1") {
		return fmt.Errorf("asked for %s of %s", keyID, v.Issuer)
	}
	return h.err
}

// The state of a sealed token is known from the metadata, without reading the keyring.
func TestStatusOfASealedToken(t *testing.T) {
	const kid = "eyJhbGciOiJSUzI1NiIsImtpZCI6Imluc18xIn0.e30.c2ln" // kid ins_1
	for name, test := range map[string]struct {
		holds  error
		change func(*fake, *provider.Token)
		want   session.State
		reason string
	}{
		"verified, in time, key still there": {want: session.StateValid},
		"expired":                            {change: func(f *fake, _ *provider.Token) { f.now = f.now.Add(time.Hour) }, want: session.StateInvalid, reason: "token expired at 2026-01-03T00:01:00Z"},
		"key gone":                           {holds: fmt.Errorf("%w: gone", provider.ErrTokenInvalid), want: session.StateInvalid, reason: "gone"},
		"no key set":                         {holds: fmt.Errorf("%w: offline", provider.ErrUnavailable), want: session.StateUnverified, reason: "offline"},
		"no keys at all":                     {change: func(_ *fake, t *provider.Token) { t.Verification = nil }, want: session.StateUnverified, reason: "publishes no keys"},
		"no key id":                          {change: func(_ *fake, t *provider.Token) { t.Value = provider.NewSecret("opaque") }, want: session.StateUnverified, reason: "nothing was written down about its signature"},
	} {
		t.Run(name, func(t *testing.T) {
			keyring := &ring{items: map[string]provider.Secret{}}
			s, f := newSession(t, func(c *session.Config) {
				c.Store = store.New(t.TempDir(), store.WithKeyring(keyring))
			})
			config := s.Config()
			config.Verifier = holding{verifier{f}, test.holds}
			s = session.New(config)
			login(t, s, f, "clerk")
			err := s.Config().Store.Lock(t.Context(), "default", func(l *store.Locked) error {
				for key, token := range l.Tokens {
					token.Value = provider.NewSecret(kid)
					if test.change != nil {
						test.change(f, &token)
					}
					l.Tokens[key] = token
				}
				return l.Save()
			})
			if err != nil {
				t.Fatal(err)
			}
			keyring.reads = 0
			s = with(s, store.New(filepath.Dir(filepath.Dir(s.Config().Store.Path("default"))), store.WithKeyring(keyring)))
			status, err := s.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if status.State != test.want || (status.Reason == nil) != (test.reason == "") || status.Reason != nil && !strings.Contains(status.Reason.Error(), test.reason) {
				t.Errorf("%s because %v, want %s because %q", status.State, status.Reason, test.want, test.reason)
			}
			if status.Storage != store.StorageKeyring || !status.SignedIn || status.Account.Credential.Subject != "alice" || keyring.reads != 0 {
				t.Errorf("status %+v, %d reads of the keyring", status, keyring.reads)
			}
			if !status.Account.Credential.Data.IsZero() || !status.Token.Value.IsZero() {
				t.Error("the status contains a secret")
			}
		})
	}
}

// If the file or its key is unusable, a logout deletes it here, and reports that nothing was
// revoked at the issuer.
func TestLogoutWithAnUnreadableFile(t *testing.T) {
	locked := &provider.Error{Kind: provider.ErrUnavailable, Message: "the keyring can't be used: locked", Hint: "unlock it"}
	for name, test := range map[string]struct {
		spoil func(*testing.T, *ring, string)
		want  []string
		why   string
	}{
		"keyring unavailable": {func(_ *testing.T, r *ring, _ string) { r.down = locked }, []string{"clerk alice", "platformtoken alice"}, "locked"},
		"key gone":            {func(_ *testing.T, r *ring, _ string) { clear(r.items) }, []string{"clerk alice", "platformtoken alice"}, "its key is not in this keyring"},
		"damaged": {func(t *testing.T, _ *ring, path string) {
			if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"platformtoken "}, "it is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			keyring := &ring{items: map[string]provider.Secret{}}
			s, f := newSession(t, func(c *session.Config) {
				c.Store, c.DefaultProvider = store.New(t.TempDir(), store.WithKeyring(keyring)), "platformtoken"
			})
			login(t, s, f, "clerk")
			login(t, s, f, "platformtoken")
			path := s.Config().Store.Path("default")
			test.spoil(t, keyring, path)
			dir := filepath.Dir(filepath.Dir(path))
			s = with(s, store.New(dir, store.WithKeyring(keyring))) // a new process, which has not read the key
			out, err := s.Logout(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range out {
				got = append(got, o.Provider+" "+o.Subject)
				if provider.Kind(o.NotRevoked) != provider.ErrUnavailable || !strings.Contains(o.NotRevoked.Error(), test.why) {
					t.Errorf("not revoked because %v, want %q", o.NotRevoked, test.why)
				}
			}
			if !slices.Equal(got, test.want) || f.started.Load() != 0 {
				t.Errorf("signed out %q, want %q; %d providers asked", got, test.want, f.started.Load())
			}
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 || left[0].Name() != "default.json.lock" {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
	t.Run("interrupted", func(t *testing.T) {
		keyring := &ring{items: map[string]provider.Secret{}}
		s, f := newSession(t, func(c *session.Config) { c.Store = store.New(t.TempDir(), store.WithKeyring(keyring)) })
		login(t, s, f, "clerk")
		keyring.down = locked
		s = with(s, store.New(filepath.Dir(filepath.Dir(s.Config().Store.Path("default"))), store.WithKeyring(keyring)))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Logout(ctx, false); !errors.Is(err, context.Canceled) {
			t.Errorf("Logout: %v, want context.Canceled", err)
		}
		if _, err := os.Stat(s.Config().Store.Path("default")); err != nil {
			t.Error(err)
		}
	})
}

// A session without a store works with a provider that needs no sign-in.
func TestNothingIsKept(t *testing.T) {
	s, f := newSession(t, func(c *session.Config) {
		c.Store, c.Provider = store.NewMemory(), "platformtoken"
	})
	wantToken(t, s, "minted-1")
	wantToken(t, session.New(s.Config()), "minted-1") // in this process
	if f.seen.Credential != nil {
		t.Error("the request had a credential")
	}
	if _, err := s.Login(t.Context(), "platformtoken", provider.LoginRequest{}, nil, store.Plan{}); err != nil {
		t.Fatal(err) // an application may do this: the sign-in ends with the process
	}
	wantToken(t, s, "first")

	s, _ = newSession(t, func(c *session.Config) {
		c.Store, c.Provider, c.TokenProvider = store.NewMemory(), "clerk", "platformtoken"
	})
	if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("a token without a sign-in: %v, want ErrNoCredential", err)
	}
}

// with returns the session of another process, with a store of its own.
func with(s *session.Session, credentials *store.Store) *session.Session {
	config := s.Config()
	config.Store = credentials
	return session.New(config)
}
