package session_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// fakeProvider issues tokens whose issuer is its name.
type fakeProvider struct {
	h    *fakes
	name string

	err    error           // of Token
	access provider.Access // if empty, as requested
	perm   string          // the claim perm; none if empty
	life   time.Duration
	asked  provider.TokenRequest
	minted atomic.Int32
	before func()
}

// fakes are several providers, their clock, and the notices of their session.
type fakes struct {
	mu        sync.Mutex
	now       time.Time
	providers map[string]*fakeProvider
	notices   []string
}

func (h *fakes) clock() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }
func (h *fakes) after(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}
func (h *fakes) notify(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notices = append(h.notices, text)
}

func (h *fakes) Describe(_ context.Context, name string) (provider.Description, error) {
	return provider.Description{Fields: []provider.Field{{Key: "k", Env: []string{"EXTRA_" + name}}}}, nil
}
func (h *fakes) Identity(_ context.Context, name string) (provider.Identity, error) {
	return h.providers[name], nil
}
func (h *fakes) TokenSource(_ context.Context, name string) (provider.TokenSource, error) {
	return h.providers[name], nil
}

func (h *fakes) AssertionSource(context.Context, string) (provider.AssertionSource, error) {
	return nil, errors.ErrUnsupported
}

func (h *fakes) Need(context.Context, string) (*provider.AssertionNeed, error) { return nil, nil }

// Verify implements session.Verifier.
func (h *fakes) Verify(_ context.Context, token provider.Token, _ bool) (provider.Claims, error) {
	claims, err := jwks.DecodeUnverified(token.Value)
	if err == nil && !h.clock().Before(claims.Expires) {
		err = provider.ErrTokenExpired
	}
	return claims, err
}

func (m *fakeProvider) Token(_ context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	if m.before != nil {
		m.before()
	}
	m.asked = req
	n := m.minted.Add(1)
	if m.err != nil {
		return provider.TokenResponse{}, m.err
	}
	return provider.TokenResponse{Token: m.token(n, req.Access)}, nil
}

func (m *fakeProvider) token(n int32, access provider.Access) provider.Token {
	if m.access != "" {
		access = m.access
	}
	now := m.h.clock()
	claims := map[string]any{"iss": m.name, "id": databaseID, "a": string(access), "iat": now.Unix(), "exp": now.Add(m.life).Unix(), "jti": n}
	if m.perm != "" {
		claims["perm"] = json.RawMessage(m.perm)
	}
	data, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	value := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(data) + ".c2ln"
	return provider.Token{Value: provider.NewSecret(value), Issued: now, Expires: now.Add(m.life)}
}

func (m *fakeProvider) Login(ctx context.Context, _ provider.LoginRequest, host provider.Host) error {
	token := m.token(0, provider.AccessReadWrite)
	return host.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret("c0"), Subject: m.name}, Token: &token})
}
func (m *fakeProvider) Refresh(_ context.Context, c provider.Credential) (provider.Credential, error) {
	return c, m.err
}
func (m *fakeProvider) Verify(context.Context, provider.Secret) (provider.Claims, error) {
	return provider.Claims{}, nil
}
func (m *fakeProvider) Revoke(context.Context, provider.Credential) error { return nil }

// newFakes returns a session that is signed in with clerk and has the fallbacks turso and
// spare.
func newFakes(t *testing.T, change func(*session.Config, *fakes)) (*session.Session, *fakes) {
	h := &fakes{now: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), providers: map[string]*fakeProvider{}}
	for _, name := range []string{"clerk", "turso", "spare"} {
		h.providers[name] = &fakeProvider{h: h, name: name, life: time.Minute}
	}
	h.providers["turso"].life = 5 * time.Minute
	config := session.Config{
		Profile: cache.Profile{
			Name: "default", DefaultProvider: "clerk", Fallback: []string{"turso", "spare"},
			Target:       provider.Target{URL: "libsql://db.example", DatabaseID: databaseID},
			SettingsHash: func(name string, env []string) string { return name + fmt.Sprint(env) },
		},
		Store: store.New(t.TempDir()), Providers: h, Verifier: h, Notify: h.notify,
		Now: h.clock, Jitter: func(provider.Token) float64 { return 0 },
	}
	if change != nil {
		change(&config, h)
	}
	s := session.New(config)
	t.Cleanup(func() { s.Close(context.Background()) })
	if _, err := s.Login(t.Context(), "clerk", provider.LoginRequest{}, nil, store.Plan{}); err != nil {
		t.Fatal(err)
	}
	return s, h
}

// from returns the issuer of a token.
func from(t *testing.T, token provider.Token, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	claims, err := jwks.DecodeUnverified(token.Value)
	if err != nil {
		t.Fatal(err)
	}
	return claims.Issuer
}

// request sends tokens as the transport does, to a database that refuses those of some
// providers, and returns whose tokens it sent.
func request(t *testing.T, s *session.Session, refused ...string) (sent []string, err error) {
	t.Helper()
	ctx := t.Context()
	token, err := s.Token(ctx)
	for renewed := false; err == nil; {
		who := from(t, token, nil)
		sent = append(sent, who)
		if !strings.Contains(strings.Join(refused, " "), who) {
			s.Accepted(ctx, token)
			return sent, nil
		}
		if len(sent) > 6 {
			t.Fatalf("sent %v", sent)
		}
		if !renewed {
			renewed = true
			token, err = s.Renew(ctx, token)
			if err == nil || !errors.Is(err, provider.ErrUnavailable) {
				continue
			}
		}
		token, err = s.FallBack(ctx, token)
	}
	return sent, err
}

func wantSent(t *testing.T, s *session.Session, want string, refused ...string) {
	t.Helper()
	sent, err := request(t, s, refused...)
	if err != nil || strings.Join(sent, " ") != want {
		t.Errorf("sent tokens of %v (%v), want %s", sent, err, want)
	}
}

func TestFallbackAndReturn(t *testing.T) {
	s, h := newFakes(t, nil)
	wantSent(t, s, "clerk", "turso")
	wantSent(t, s, "clerk clerk turso", "clerk") // renewed once
	wantSent(t, s, "turso", "clerk")
	other := session.New(s.Config()) // another process needs no refusal
	wantSent(t, other, "turso", "clerk")
	if h.providers["turso"].minted.Load() != 1 {
		t.Errorf("%d tokens of turso for two processes", h.providers["turso"].minted.Load())
	}
	if got := h.providers["turso"].asked; got.Lifetime != 5*time.Minute || got.Credential != nil {
		t.Errorf("the request to turso was %+v", got)
	}
	h.after(31 * time.Second)
	wantSent(t, s, "clerk turso", "clerk") // the trial, which fails
	wantSent(t, other, "turso", "clerk")   // others make no trial
	h.after(31 * time.Second)
	wantSent(t, s, "turso", "clerk") // the next is due after a minute
	h.after(30 * time.Second)
	wantSent(t, s, "clerk")
	wantSent(t, s, "clerk")
	wantSent(t, session.New(s.Config()), "clerk")
	want := []string{
		"the database refuses the tokens of clerk: using turso (fallback, access rw) until that has changed",
		"the database refuses the tokens of clerk: using turso (fallback, access rw) until that has changed", // the other process
		"the tokens of clerk work again",
	}
	if diff := cmp.Diff(want, h.notices); diff != "" {
		t.Error(diff)
	}
	if status, err := s.Status(t.Context()); err != nil || status.Provider != "clerk" {
		t.Errorf("the profile's provider is %s, %v", status.Provider, err)
	}
}

// Status reports an active fallback, even from a sealed file.
func TestStatusOfAnOpenBreaker(t *testing.T) {
	keyring := &ring{items: map[string]provider.Secret{}}
	for name, options := range map[string][]store.Option{"plain": nil, "sealed": {store.WithKeyring(keyring)}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, h := newFakes(t, func(c *session.Config, _ *fakes) { c.Store = store.New(dir, options...) })
			state := func() breaker.State {
				t.Helper()
				keyring.reads = 0
				config := s.Config()
				config.Store = store.New(dir, options...)
				status, err := session.New(config).Status(t.Context())
				if err != nil || keyring.reads != 0 {
					t.Fatalf("%v, %d reads of the keyring", err, keyring.reads)
				}
				return status.Breaker
			}
			if b := state(); b.Open() {
				t.Errorf("the breaker is open at first: %+v", b)
			}
			began := h.clock()
			wantSent(t, s, "clerk clerk turso", "clerk")
			if b := state(); b.Via != "turso" || b.Because != breaker.Refused || b.Access != provider.AccessReadWrite || !b.Since.Equal(began) || !b.RetryAt.After(began) {
				t.Errorf("breaker %+v", b)
			}
			h.after(31 * time.Second)
			wantSent(t, s, "clerk")
			if b := state(); b.Open() {
				t.Errorf("the breaker is open after the recovery: %+v", b)
			}
		})
	}
}

func TestFallbacksGoInOrder(t *testing.T) {
	s, h := newFakes(t, nil)
	wantSent(t, s, "clerk clerk turso spare", "clerk", "turso")
	h.after(20 * time.Second)
	wantSent(t, s, "spare", "clerk", "turso")
	s, h = newFakes(t, nil)
	h.providers["turso"].err = &provider.Error{Kind: provider.ErrConfig, Message: "no organization"}
	wantSent(t, s, "clerk clerk spare", "clerk")
	s, h = newFakes(t, nil)
	h.providers["turso"].err, h.providers["spare"].err = provider.ErrNoCredential, provider.ErrUnavailable
	if _, err := request(t, s, "clerk"); err == nil || err.Error() != "fallback turso: not signed in; fallback spare: unavailable" {
		t.Errorf("two failed fallbacks: %v", err)
	}
	s, _ = newFakes(t, func(c *session.Config, _ *fakes) { c.Fallback = nil })
	if _, err := request(t, s, "clerk"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("no fallback: %v, want ErrUnsupported", err)
	}
}

// The limits are those that the issuer granted, not those of the profile.
func TestFallbackKeepsTheLimitsOfTheToken(t *testing.T) {
	s, h := newFakes(t, func(_ *session.Config, h *fakes) {
		h.providers["clerk"].access = provider.AccessReadOnly
		h.providers["clerk"].perm = `[{"t":["notes"],"a":["data_read"]}]`
	})
	turso := h.providers["turso"]
	turso.perm = h.providers["clerk"].perm
	wantSent(t, s, "clerk clerk turso", "clerk")
	want := []provider.Permission{{Tables: []string{"notes"}, Actions: []provider.Action{"data_read"}}}
	if turso.asked.Access != provider.AccessReadOnly || cmp.Diff(want, turso.asked.Permissions) != "" {
		t.Errorf("the request was for %s, %v", turso.asked.Access, turso.asked.Permissions)
	}
	// A fallback's token that grants more is not used.
	s, _ = newFakes(t, func(c *session.Config, h *fakes) {
		c.Fallback = []string{"turso"}
		h.providers["clerk"].access = provider.AccessReadOnly
		h.providers["turso"].access = provider.AccessReadWrite
	})
	if sent, err := request(t, s, "clerk"); !errors.Is(err, provider.ErrPermission) || len(sent) != 2 {
		t.Errorf("sent tokens of %v, %v", sent, err)
	}
	// The issuer reduces rights while the fallback is in use: the next trial notices.
	s, h = newFakes(t, nil)
	wantSent(t, s, "clerk clerk turso", "clerk")
	h.providers["clerk"].access = provider.AccessReadOnly
	h.after(31 * time.Second)
	wantSent(t, s, "clerk turso", "clerk")
	if got := h.providers["turso"].asked.Access; got != provider.AccessReadOnly {
		t.Errorf("access after the trial = %s, want ro", got)
	}
}

func TestFallbackForAnUnavailableProvider(t *testing.T) {
	s, h := newFakes(t, nil)
	clerk := h.providers["clerk"]
	clerk.err = &provider.Error{Kind: provider.ErrUnavailable, Message: "clerk: HTTP 503"}
	h.after(time.Hour)
	token, err := s.TokenFor(t.Context(), 0) // as zen token does
	if got := from(t, token, err); got != "turso" {
		t.Errorf("a token of %s, want turso", got)
	}
	wantSent(t, session.New(s.Config()), "turso")
	if clerk.minted.Load() != 1 {
		t.Errorf("%d requests to clerk, want 1", clerk.minted.Load())
	}
	h.after(31 * time.Second)
	clerk.err = nil
	token, err = session.New(s.Config()).TokenFor(t.Context(), 0)
	if got := from(t, token, err); got != "clerk" {
		t.Errorf("a token of %s, want clerk", got)
	}
	wantSent(t, session.New(s.Config()), "clerk")
	if want := "no token can be had from clerk: using turso (fallback, access rw) until that has changed"; len(h.notices) == 0 || h.notices[0] != want {
		t.Errorf("notices %q", h.notices)
	}
}

// A refusal by the database is unknown to zen token, which prints a token of the profile's
// own provider.
func TestTokenForIsTheOwnProviders(t *testing.T) {
	s, _ := newFakes(t, nil)
	wantSent(t, s, "clerk clerk turso", "clerk")
	token, err := session.New(s.Config()).TokenFor(t.Context(), 0)
	if got := from(t, token, err); got != "clerk" {
		t.Errorf("a token of %s, want clerk", got)
	}
}

func TestFallbackGrantsNothingNew(t *testing.T) {
	for name, prepare := range map[string]func(*session.Session, *fakes){
		"revoked at the issuer": func(_ *session.Session, h *fakes) { h.providers["clerk"].err = provider.ErrRejected },
		"signed out": func(s *session.Session, _ *fakes) {
			if _, err := s.Logout(context.Background(), false); err != nil {
				t.Error(err)
			}
		},
		"revoked while a fallback is in use": func(s *session.Session, h *fakes) {
			wantSent(t, s, "clerk clerk turso", "clerk")
			h.providers["clerk"].err = provider.ErrRejected
			h.after(31 * time.Second)
		},
	} {
		s, h := newFakes(t, nil)
		prepare(s, h)
		made := h.providers["turso"].minted.Load()
		for range 2 {
			_, err := request(t, s, "clerk")
			if !errors.Is(err, provider.ErrRejected) && !errors.Is(err, provider.ErrNoCredential) {
				t.Errorf("%s: %v, want a refusal", name, err)
			}
			h.after(time.Hour)
		}
		if h.providers["turso"].minted.Load() != made {
			t.Errorf("%s: the fallback issued a token", name)
		}
	}
	// Rights that were granted long ago may have been withdrawn.
	for name, prepare := range map[string]func(*session.Session){
		"a token of last week":    func(*session.Session) {},
		"a fallback of last week": func(s *session.Session) { wantSent(t, s, "clerk clerk turso", "clerk") },
	} {
		s, h := newFakes(t, nil)
		prepare(s)
		made := h.providers["turso"].minted.Load()
		h.providers["clerk"].err = provider.ErrUnavailable
		h.after(8 * 24 * time.Hour)
		if _, err := session.New(s.Config()).Token(t.Context()); !errors.Is(err, provider.ErrUnavailable) || h.providers["turso"].minted.Load() != made {
			t.Errorf("%s: err = %v, %d tokens of turso", name, err, h.providers["turso"].minted.Load()-made)
		}
	}
	// Without rights that were ever granted there is no fallback.
	s, h := newFakes(t, func(c *session.Config, _ *fakes) { c.Fallback = []string{"turso"} })
	h.providers["clerk"].err = provider.ErrUnavailable
	config := s.Config()
	config.Target.URL = "libsql://other.example"
	if _, err := session.New(config).Token(t.Context()); !errors.Is(err, provider.ErrUnavailable) || h.providers["turso"].minted.Load() != 0 {
		t.Errorf("Token for a new target: %v, want ErrUnavailable and no token of turso", err)
	}
}

func TestLoginEndsTheFallback(t *testing.T) {
	s, _ := newFakes(t, nil)
	wantSent(t, s, "clerk clerk turso", "clerk")
	if _, err := s.Login(t.Context(), "clerk", provider.LoginRequest{}, nil, store.Plan{}); err != nil {
		t.Fatal(err)
	}
	wantSent(t, s, "clerk")
}

// Many requests are refused at once, with the same token: there is one renewal, one token of
// the fallback, and one trial at a time.
func TestManyRequestsFallBackOnce(t *testing.T) {
	s, h := newFakes(t, nil)
	trials := atomic.Int32{}
	run := func() {
		var wait sync.WaitGroup
		for range 64 {
			wait.Go(func() {
				sent, err := request(t, s, "clerk")
				if err != nil || sent[len(sent)-1] != "turso" {
					t.Errorf("sent tokens of %v, %v", sent, err)
				}
				if sent[0] == "clerk" {
					trials.Add(1)
				}
			})
		}
		wait.Wait()
	}
	run()
	if c, f := h.providers["clerk"].minted.Load(), h.providers["turso"].minted.Load(); c != 1 || f != 1 {
		t.Errorf("%d renewals and %d tokens of the fallback, want one each", c, f)
	}
	h.after(31 * time.Second)
	trials.Store(0)
	run()
	if trials.Load() != 1 {
		t.Errorf("%d trials at once, want 1", trials.Load())
	}
}
