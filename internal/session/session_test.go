package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

const databaseID = "33057661-834e-4891-9b48-802d425d02b9"

// fake is a provider, its process, and the verifier of its tokens.
type fake struct {
	t        *testing.T
	now      time.Time
	life     time.Duration
	started  atomic.Int32
	minted   atomic.Int32
	claims   provider.Claims
	err      error // of Token
	rotate   bool
	revokeEr error
	verify   error
	seen     provider.TokenRequest
	login    provider.LoginRequest
	hangUp   func()
	refresh  error
	// database is the ID that Token returns for the database at the request's URL.
	database string
	// minting changes new tokens; failOnce is the error of the next call.
	minting  func(*provider.Token)
	failOnce error
	// issuing is a credential that Token returns for the session to keep.
	issuing *provider.Credential
	// need is the token provider's; asserting is the request that the identity provider got.
	need        *provider.AssertionNeed
	signInEnds  time.Time
	asserting   provider.AssertionRequest
	assert      func() (provider.Assertion, *provider.Credential, error)
	description provider.Description
}

func (f *fake) Describe(context.Context, string) (provider.Description, error) {
	f.description.Fields = []provider.Field{{Key: "k", Env: []string{"EXTRA"}}}
	return f.description, nil
}
func (f *fake) Identity(context.Context, string) (provider.Identity, error) {
	f.started.Add(1)
	return f, nil
}
func (f *fake) TokenSource(context.Context, string) (provider.TokenSource, error) {
	f.started.Add(1)
	return f, nil
}

func (f *fake) AssertionSource(context.Context, string) (provider.AssertionSource, error) {
	f.started.Add(1)
	return f, nil
}
func (f *fake) Need(context.Context, string) (*provider.AssertionNeed, error) { return f.need, nil }

func (f *fake) Assertion(_ context.Context, req provider.AssertionRequest) (provider.Assertion, *provider.Credential, error) {
	f.asserting = req
	if f.assert == nil {
		return provider.Assertion{}, nil, errors.ErrUnsupported
	}
	return f.assert()
}

func (f *fake) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	if f.hangUp != nil {
		f.hangUp()
		if ctx.Err() != nil { // a real answer would not arrive
			return provider.TokenResponse{}, ctx.Err()
		}
	}
	f.seen = req
	n := f.minted.Add(1)
	resp := provider.TokenResponse{Token: f.token(fmt.Sprintf("minted-%d", n)), DatabaseID: f.database}
	if f.minting != nil {
		f.minting(&resp.Token)
	}
	if err := f.failOnce; err != nil {
		f.failOnce = nil
		return resp, err
	}
	resp.Credential = f.issuing
	if f.rotate {
		c := *req.Credential
		c.Data = provider.NewSecret(fmt.Sprintf("credential-%d", n))
		resp.Credential = &c
	}
	return resp, f.err
}

func (f *fake) token(value string) provider.Token {
	return provider.Token{
		Value: provider.NewSecret(value), Issued: f.now, Expires: f.now.Add(f.life),
		Verification: &provider.Verification{Issuer: "https://issuer"},
	}
}

func (f *fake) Verify(_ context.Context, token provider.Secret) (provider.Claims, error) {
	return f.claims, f.verify
}

func (f *fake) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	f.login = req
	token := f.token("first")
	return host.Store(ctx, provider.SignIn{
		Credential: provider.Credential{Data: provider.NewSecret("credential-0"), Subject: "alice", Expires: f.signInEnds},
		Claims:     provider.Claims{Subject: "user_1"}, Token: &token,
	})
}
func (f *fake) Refresh(_ context.Context, c provider.Credential) (provider.Credential, error) {
	return c, f.refresh
}
func (f *fake) Revoke(context.Context, provider.Credential) error { return f.revokeEr }

// verifier makes the fake a session.Verifier.
type verifier struct{ *fake }

func (v verifier) Verify(_ context.Context, token provider.Token, _ bool) (provider.Claims, error) {
	return v.claims, v.verify
}

func newSession(t *testing.T, change func(*session.Config)) (*session.Session, *fake) {
	f := &fake{
		t: t, now: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), life: time.Minute,
		claims: provider.Claims{Database: &provider.DatabaseClaims{DatabaseID: databaseID}},
	}
	config := session.Config{
		Profile: cache.Profile{
			Name: "default", Target: provider.Target{URL: "libsql://db", DatabaseID: databaseID},
			SettingsHash: func(name string, env []string) string { return name + fmt.Sprint(env) },
		},
		Store: store.New(t.TempDir()), Providers: f, Verifier: verifier{f},
		Now: func() time.Time { return f.now }, Jitter: func(provider.Token) float64 { return 0 },
	}
	if change != nil {
		change(&config)
	}
	return session.New(config), f
}

func login(t *testing.T, s *session.Session, f *fake, name string) {
	t.Helper()
	if _, err := s.Login(t.Context(), name, provider.LoginRequest{}, nil, store.Plan{}); err != nil {
		t.Fatal(err)
	}
	f.started.Store(0)
}

func wantToken(t *testing.T, s *session.Session, want string) {
	t.Helper()
	token, err := s.Token(t.Context())
	if err != nil || token.Value.Reveal() != want {
		t.Fatalf("token = %q, %v; want %q", token.Value.Reveal(), err, want)
	}
}

func TestGoodCachedTokenStartsNoProvider(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	wantToken(t, s, "first")
	wantToken(t, session.New(s.Config()), "first")
	if f.started.Load() != 0 {
		t.Error("a provider was started for a cached token")
	}
}

// Expiry is noticed before the server does, with a margin that leaves a token of one minute
// usable. (spike C3)
func TestTokenIsRenewedInTime(t *testing.T) {
	for _, test := range []struct{ life, after time.Duration }{
		{time.Minute, 48 * time.Second},
		{time.Hour, 59 * time.Minute},
		{3 * time.Second, 2400 * time.Millisecond},
	} {
		s, f := newSession(t, nil)
		f.life = test.life
		login(t, s, f, "clerk")
		f.now = f.now.Add(test.after - time.Millisecond)
		wantToken(t, s, "first")
		f.now = f.now.Add(time.Millisecond)
		wantToken(t, s, "minted-1")
	}
}

func TestRenewUsesAStoredToken(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	first, _ := s.Token(t.Context())
	second, err := s.Renew(t.Context(), first)
	if err != nil || second.Value.Reveal() != "minted-1" {
		t.Fatalf("Renew = %v %v, want minted-1", second.Value.Reveal(), err)
	}
	again, err := s.Renew(t.Context(), first)
	if err != nil || again.Value.Reveal() != "minted-1" || f.minted.Load() != 1 {
		t.Errorf("a second refusal of the same token caused another renewal: %d", f.minted.Load())
	}
}

func TestReplacedCredentialIsStoredAlsoBesideAnError(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	f.rotate, f.err = true, provider.ErrUnavailable
	f.now = f.now.Add(time.Hour)
	if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
		t.Fatal(err)
	}
	f.err = nil
	wantToken(t, s, "minted-2")
	if got := f.seen.Credential.Data.Reveal(); got != "credential-1" {
		t.Errorf("the second request had %q, want the replaced credential", got)
	}
}

func TestCacheKeyDependsOnWhatTheTokenIsFor(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	for name, change := range map[string]func(*session.Config){
		"access": func(c *session.Config) { c.Access = provider.AccessReadOnly },
		"target": func(c *session.Config) { c.Target.URL = "libsql://other" },
		"permissions": func(c *session.Config) {
			c.Permissions = []provider.Permission{{Tables: []string{"t"}, Actions: []provider.Action{"data_read"}}}
		},
		"settings": func(c *session.Config) { c.SettingsHash = func(string, []string) string { return "changed" } },
	} {
		config := s.Config()
		change(&config)
		f.claims.Database.Access, f.claims.Database.Permissions = provider.AccessReadOnly, config.Permissions
		before := f.minted.Load()
		if _, err := session.New(config).Token(t.Context()); err != nil || f.minted.Load() != before+1 {
			t.Errorf("%s: no new token was issued (%v)", name, err)
		}
	}
}

func TestTokenThatIsNotForTheDatabaseIsNeitherStoredNorHandedOut(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	f.now = f.now.Add(time.Hour)
	f.claims.Database = nil
	for range 2 {
		if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrPermission) {
			t.Fatal(err)
		}
	}
	if f.minted.Load() != 2 {
		t.Error("a refused token was cached")
	}
}

func TestAnotherProviderIssues(t *testing.T) {
	s, f := newSession(t, func(c *session.Config) { c.TokenProvider = "platformtoken" })
	login(t, s, f, "clerk")
	if f.login.Target != (provider.Target{}) {
		t.Error("the login had a target")
	}
	wantToken(t, s, "minted-1") // not the token of the login
	if f.seen.Claims == nil || f.seen.Claims.Subject != "user_1" || f.seen.Credential != nil {
		t.Errorf("the token provider got %+v", f.seen)
	}
}

func TestSwitchingProvidersKeepsBothCredentials(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	login(t, s, f, "platformtoken")
	status, err := s.Status(t.Context())
	if err != nil || status.Provider != "platformtoken" || len(status.Others) != 1 || status.Others[0] != "clerk" {
		t.Fatalf("Status = %+v, %v", status, err)
	}
	f.revokeEr = provider.ErrUnavailable
	out, err := s.Logout(t.Context(), false)
	if err != nil || len(out) != 1 || out[0].Provider != "platformtoken" || !errors.Is(out[0].NotRevoked, provider.ErrUnavailable) {
		t.Fatalf("Logout = %+v, %v", out, err)
	}
	if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrNoCredential) || provider.Hint(err) == "" {
		t.Errorf("after logout: %v", err)
	}
	if out, err := s.Logout(t.Context(), true); err != nil || len(out) != 1 || out[0].Provider != "clerk" {
		t.Errorf("Logout of all = %+v, %v", out, err)
	}
}

func TestStatusSaysWhatItKnows(t *testing.T) {
	s, f := newSession(t, nil)
	wantState := func(want session.State) {
		t.Helper()
		if status, err := s.Status(t.Context()); err != nil || status.State != want {
			t.Errorf("state = %q, %v; want %q", status.State, err, want)
		}
	}
	wantState(session.StateNone)
	login(t, s, f, "clerk")
	wantState(session.StateValid)
	f.verify = provider.ErrUnavailable
	wantState(session.StateUnverified)
	f.verify = provider.ErrTokenExpired
	wantState(session.StateInvalid)
	if f.started.Load() != 0 {
		t.Error("status started a provider")
	}
}

func TestMinTTL(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	if token, err := s.TokenFor(t.Context(), 30*time.Second); err != nil || token.Value.Reveal() != "first" {
		t.Errorf("TokenFor 30 s = %v %v, want the stored token", token.Value.Reveal(), err)
	}
	if _, err := s.TokenFor(t.Context(), time.Hour); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("TokenFor an hour: %v, want ErrConfig", err)
	}
	if f.seen.Lifetime <= time.Hour {
		t.Errorf("requested lifetime = %s", f.seen.Lifetime)
	}
}

func TestReplacedCredentialArrivesAlsoWhenTheCallerHasGone(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	f.now, f.rotate = f.now.Add(time.Hour), true
	ctx, cancel := context.WithCancel(t.Context())
	f.hangUp = cancel
	_, _ = s.Token(ctx)
	f.hangUp = nil
	f.now = f.now.Add(time.Hour)
	wantToken(t, s, "minted-2")
	if got := f.seen.Credential.Data.Reveal(); got != "credential-1" {
		t.Errorf("the next request had %q, want the replaced credential", got)
	}
}

func TestRevokedSignInIssuesNothing(t *testing.T) {
	s, f := newSession(t, func(c *session.Config) { c.TokenProvider = "platformtoken" })
	login(t, s, f, "clerk")
	f.refresh = provider.ErrRejected
	if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrRejected) || f.minted.Load() != 0 {
		t.Errorf("err = %v after %d tokens", err, f.minted.Load())
	}
	f.refresh = errors.ErrUnsupported
	wantToken(t, s, "minted-1")
}

func TestLoginAndLogoutReplaceTheHeldToken(t *testing.T) {
	s, f := newSession(t, nil)
	login(t, s, f, "clerk")
	wantToken(t, s, "first")
	f.now = f.now.Add(time.Second)
	login(t, s, f, "platformtoken")
	if token, err := s.Token(t.Context()); err != nil || !token.Issued.Equal(f.now) {
		t.Errorf("after another login the token is still of %s, %v", token.Issued, err)
	}
	if _, err := s.Logout(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("after logout: %v", err)
	}
}
