package gooidc

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/devstacktest"
	devoidc "github.com/zen-auth/zen/devstack/oidc"
)

// face is an issuer of the stack, with the settings of its client.
type face struct {
	issuer, client string
	scopes         []string
	port           string // of the callback; "0" is any
	options        []oauth2.AuthCodeOption
	rotates        bool // its refresh tokens
}

func faces(s *devstack.Stack) map[string]face {
	scopes := []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess}
	audience := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("audience", auth0.DefaultAudience)}
	return map[string]face{
		"auth0":  {s.Auth0.Issuer(), auth0.DefaultClientID, scopes, "53685", audience, true},
		"clerk":  {s.Clerk.Issuer(), clerk.DefaultOAuthClientID, scopes, "0", nil, true},
		"openid": {s.OIDC.Address(), devoidc.DefaultClientID, scopes, "0", nil, false},
	}
}

// discover configures the client from the issuer's metadata.
func (f face) discover(t *testing.T) (*oauth2.Config, *oidc.IDTokenVerifier) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), f.issuer)
	if err != nil {
		t.Fatal(err)
	}
	return &oauth2.Config{ClientID: f.client, Endpoint: provider.Endpoint(), Scopes: f.scopes}, provider.Verifier(&oidc.Config{ClientID: f.client})
}

// check verifies the id_token, which has to be Alice's.
func check(t *testing.T, verifier *oidc.IDTokenVerifier, tokens *oauth2.Token, nonce string) {
	t.Helper()
	raw, _ := tokens.Extra("id_token").(string)
	token, err := verifier.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Email string }
	if err := token.Claims(&claims); err != nil || claims.Email != "alice@example.test" || token.Nonce != nonce {
		t.Errorf("email %q, nonce %q: %v", claims.Email, token.Nonce, err)
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(tokens.AccessToken); err != nil {
			t.Error(err)
		}
	}
}

var alice = browse.Person{User: "alice"}

// A program on the loopback signs in with a code and PKCE, refreshes, and reads the
// userinfo.
func TestCode(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	for name, f := range faces(s) {
		t.Run(name, func(t *testing.T) {
			config, verifier := f.discover(t)
			listener, err := net.Listen("tcp", "127.0.0.1:"+f.port)
			if err != nil {
				t.Fatal(err)
			}
			answers := make(chan string, 1)
			server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("state") == "state-12345" {
					answers <- r.URL.Query().Get("code")
				}
			})}
			go server.Serve(listener)
			defer server.Close()
			config.RedirectURL = "http://" + listener.Addr().String() + "/callback"

			secret := oauth2.GenerateVerifier()
			options := append(f.options, oauth2.S256ChallengeOption(secret), oidc.Nonce("n-1"))
			if err := browse.Visit(t.Context(), alice, config.AuthCodeURL("state-12345", options...), t.Output()); err != nil {
				t.Fatal(err)
			}
			tokens, err := config.Exchange(t.Context(), <-answers, oauth2.VerifierOption(secret))
			if err != nil {
				t.Fatal(err)
			}
			check(t, verifier, tokens, "n-1")

			expired := *tokens
			expired.Expiry = time.Now().Add(-time.Minute)
			again, err := config.TokenSource(t.Context(), &expired).Token()
			if err != nil {
				t.Fatal(err)
			}
			if again.AccessToken == tokens.AccessToken || (again.RefreshToken != tokens.RefreshToken) != f.rotates {
				t.Errorf("refreshed: another access token %v, another refresh token %v", again.AccessToken != tokens.AccessToken, again.RefreshToken != tokens.RefreshToken)
			}
			provider, err := oidc.NewProvider(t.Context(), f.issuer)
			if err != nil {
				t.Fatal(err)
			}
			info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(again))
			if err != nil || info.Email != "alice@example.test" {
				t.Errorf("userinfo %+v, %v", info, err)
			}
		})
	}
}

// A device polls without success until the person has answered, and then gets its tokens.
func TestDevice(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	for name, f := range faces(s) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, verifier := f.discover(t)
			// A second poll at once gets slow_down.
			config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
			device, err := config.DeviceAuth(t.Context(), f.options...)
			if err != nil {
				t.Fatal(err)
			}
			person := time.AfterFunc(7*time.Second, func() { // after the first poll
				if err := browse.Visit(context.Background(), alice, device.VerificationURIComplete, nil); err != nil {
					t.Error(err)
				}
			})
			defer person.Stop()
			tokens, err := config.DeviceAccessToken(t.Context(), device)
			if err != nil {
				t.Fatal(err)
			}
			check(t, verifier, tokens, "")
		})
	}
}

// Two of CI's issuers are verified as relying parties do, by address and audience.
func TestCI(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	for _, system := range []string{"github", "gitlab", "kubernetes"} {
		provider, err := oidc.NewProvider(t.Context(), s.CI.Issuer(system))
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.CI.Token(system, "https://bao.example.test")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.Verifier(&oidc.Config{ClientID: "https://bao.example.test"}).Verify(t.Context(), token); err != nil {
			t.Errorf("%s: Verify = %v", system, err)
		}
		if _, err := provider.Verifier(&oidc.Config{ClientID: "https://elsewhere.example.test"}).Verify(t.Context(), token); err == nil {
			t.Errorf("%s: a token for another audience was accepted", system)
		}
	}
}
