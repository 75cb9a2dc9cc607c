package session_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// statement returns a JWT with an audience, whose signature is meaningless.
func statement(audience string) provider.Secret {
	encode := base64.RawURLEncoding.EncodeToString
	return provider.NewSecret(strings.Join([]string{
		encode([]byte(`{"alg":"ES256","typ":"JWT"}`)), encode([]byte(`{"sub":"user_1","aud":"` + audience + `"}`)), encode([]byte("s")),
	}, "."))
}

// asserting returns a session where one provider signs in and another issues the tokens,
// which needs an assertion.
func asserting(t *testing.T) (*session.Session, *fake) {
	s, f := newSession(t, func(c *session.Config) { c.TokenProvider = "openbao" })
	f.need = &provider.AssertionNeed{
		Kinds: []provider.AssertionKind{provider.AssertionJWT, provider.AssertionClerkAPIKey}, Audience: "https://bao.example",
	}
	f.description.Assertions = []provider.AssertionKind{provider.AssertionJWT}
	f.assert = func() (provider.Assertion, *provider.Credential, error) {
		return provider.Assertion{Kind: provider.AssertionJWT, Value: statement("https://bao.example"), Expires: f.now.Add(time.Minute)}, nil, nil
	}
	login(t, s, f, "clerk")
	return s, f
}

func TestAssertionIsSentAlong(t *testing.T) {
	s, f := asserting(t)
	if f.login.Audience != "https://bao.example" || len(f.login.AssertionKinds) != 2 || f.login.Target.URL != "" {
		t.Errorf("the sign-in got the request %+v", f.login)
	}
	f.refresh = errors.New("the assertion is proof enough")
	wantToken(t, s, "minted-1")
	a := f.seen.Assertion
	if a == nil || !a.Value.Equal(statement("https://bao.example")) || a.Kind != provider.AssertionJWT || f.seen.Claims.Subject != "user_1" {
		t.Errorf("the token provider got %+v", f.seen)
	}
	if r := f.asserting; r.Audience != "https://bao.example" || len(r.Kinds) != 2 || r.Credential.Data.Reveal() != "credential-0" {
		t.Errorf("the identity provider got %+v", r)
	}
}

func TestTokenProviderThatNeedsNoAssertionGetsNone(t *testing.T) {
	s, f := asserting(t)
	f.need = nil
	wantToken(t, s, "minted-1")
	if f.seen.Assertion != nil || f.asserting.Audience != "" {
		t.Errorf("an assertion was made: %+v", f.asserting)
	}
}

func TestCredentialThatAnAssertionReplacedIsStored(t *testing.T) {
	s, f := asserting(t)
	first := f.assert
	f.assert = func() (provider.Assertion, *provider.Credential, error) {
		return provider.Assertion{}, &provider.Credential{Data: provider.NewSecret("credential-1")}, provider.ErrUnavailable
	}
	if _, err := s.Token(t.Context()); !errors.Is(err, provider.ErrUnavailable) {
		t.Fatal(err)
	}
	f.assert = first
	wantToken(t, s, "minted-1")
	if got := f.asserting.Credential.Data.Reveal(); got != "credential-1" {
		t.Errorf("the second assertion used %q, want the replaced credential", got)
	}
}

// An assertion for another audience, or of another kind, is not sent.
func TestUnfitAssertionsAreNotSent(t *testing.T) {
	for name, test := range map[string]struct {
		assertion provider.Assertion
		want      error
	}{
		"an empty assertion":   {provider.Assertion{Kind: provider.AssertionJWT}, provider.ErrTokenInvalid},
		"another kind":         {provider.Assertion{Kind: "password", Value: provider.NewSecret("hunter2")}, provider.ErrPermission},
		"another audience":     {provider.Assertion{Kind: provider.AssertionJWT, Value: statement("https://other.example")}, provider.ErrPermission},
		"not a JWT":            {provider.Assertion{Kind: provider.AssertionJWT, Value: provider.NewSecret("opaque")}, provider.ErrTokenInvalid},
		"an expired assertion": {provider.Assertion{Kind: provider.AssertionJWT, Value: statement("https://bao.example"), Expires: time.Unix(1, 0)}, provider.ErrTokenExpired},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := asserting(t)
			f.assert = func() (provider.Assertion, *provider.Credential, error) { return test.assertion, nil, nil }
			_, err := s.Token(t.Context())
			if !errors.Is(err, test.want) || f.minted.Load() != 0 {
				t.Errorf("%v, and %d requests to the token provider", err, f.minted.Load())
			}
			if err != nil && !test.assertion.Value.IsZero() && strings.Contains(err.Error(), test.assertion.Value.Reveal()) {
				t.Errorf("the error contains the assertion: %v", err)
			}
		})
	}
}

// An assertion is accepted by everything that trusts its issuer. It must never reach a
// database, even if the token provider returns it as a token.
func TestAssertionNeverReachesADatabase(t *testing.T) {
	s, f := asserting(t)
	f.minting = func(token *provider.Token) { token.Value = f.seen.Assertion.Value }
	token, err := s.Token(t.Context())
	if !errors.Is(err, provider.ErrPermission) || !token.Value.IsZero() {
		t.Fatalf("Token: %v, want ErrPermission and no token", err)
	}
	record, err := s.Config().Store.LoadContext(t.Context(), "default")
	if err != nil || len(record.Tokens) != 0 {
		t.Errorf("the assertion was stored: %d tokens, %v", len(record.Tokens), err)
	}
}

func TestLoginRefusesWhatCanOnlyFail(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*session.Config, *fake)
		method string
		want   string
	}{
		"no assertions": {func(_ *session.Config, f *fake) { f.description.Assertions = nil }, "", "provider auth0 can't tell openbao who signed in"},
		"only assertions of other kinds": {func(_ *session.Config, f *fake) {
			f.description.Assertions = []provider.AssertionKind{"saml"}
		}, "", "provider auth0 can't tell openbao who signed in"},
		"an identity alone": {func(c *session.Config, f *fake) {
			c.TokenProvider = ""
			f.description.Methods = []provider.Method{{Name: "browser", IdentityOnly: true}}
		}, "", "provider auth0 signs in, and makes no tokens"},
		"a method for an identity alone": {func(c *session.Config, f *fake) {
			c.TokenProvider = ""
			f.description.Methods = []provider.Method{{Name: "bridge"}, {Name: "oauth", IdentityOnly: true}}
		}, "oauth", "provider auth0 signs in by oauth, and makes no tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := asserting(t)
			config := s.Config()
			test.change(&config, f)
			s = session.New(config)
			f.login = provider.LoginRequest{Organization: "untouched"}
			_, err := s.Login(t.Context(), "auth0", provider.LoginRequest{Method: test.method}, nil, store.Plan{})
			if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), test.want) || provider.Hint(err) == "" {
				t.Errorf("Login: %v, want ErrConfig with a hint", err)
			}
			if f.login.Organization != "untouched" {
				t.Error("the provider was asked to sign in")
			}
		})
	}
}

// A credential that the issuing provider keeps for the signed-in person is revoked at
// sign-out.
func TestLogoutEndsWhatTheIssuerKeeps(t *testing.T) {
	s, f := asserting(t)
	f.issuing = &provider.Credential{Data: provider.NewSecret("in another's name"), Subject: "user_1"}
	wantToken(t, s, "minted-1")
	out, err := s.Logout(t.Context(), false)
	if err != nil || len(out) != 2 || out[0].Provider != "clerk" || out[1].Provider != "openbao" || out[1].NotRevoked != nil {
		t.Errorf("Logout = %+v, %v", out, err)
	}
}
