package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// A rotated refresh token replaces the one that was sent; if the issuer doesn't rotate, the
// old one stays.
func TestRefresh(t *testing.T) {
	s := newIssuer(t)
	client := s.client(t)
	s.refresh = "r-1"
	first, err := client.Refresh(t.Context(), provider.NewSecret("r-1"), "openid", "email")
	if err != nil || first.Refresh.Reveal() != s.refresh || s.refresh == "r-1" {
		t.Fatalf("Refresh = %+v, %v, want a rotated refresh token", first, err)
	}
	if scope := s.forms[0].Get("scope"); scope != "openid email" {
		t.Errorf("scope %q", scope)
	}
	if _, err := client.Refresh(t.Context(), provider.NewSecret("r-1")); !errors.Is(err, provider.ErrRejected) || oauth.Code(err) != oauth.CodeInvalidGrant {
		t.Errorf("a used refresh token: %v, want ErrRejected", err)
	}
	s.token = func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]any{"access_token": "a"}) }
	same, err := client.Refresh(t.Context(), provider.NewSecret("r-2"))
	if err != nil || same.Refresh.Reveal() != "r-2" || !same.Expires.IsZero() {
		t.Errorf("without rotation: %+v, %v", same, err)
	}
}

// An issuer's refusal has a kind, and its error repeats no secret.
func TestRefusals(t *testing.T) {
	const secret = "s3cret-refresh-token"
	for name, test := range map[string]struct {
		status  int
		header  http.Header
		body    string
		want    error
		text    string
		seconds int
	}{
		"invalid_grant":                       {status: 403, body: `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`, want: provider.ErrRejected, text: "Unknown or invalid refresh token (invalid_grant), HTTP 403"},
		"invalid_grant with 401":              {status: 401, body: `{"error":"invalid_grant"}`, want: provider.ErrRejected},
		"invalid_grant with 200":              {status: 200, body: `{"error":"invalid_grant"}`, want: provider.ErrRejected},
		"bad client":                          {status: 401, body: `{"error":"invalid_client"}`, want: provider.ErrRejected},
		"a client that is not allowed":        {status: 403, body: `{"error":"unauthorized_client"}`, want: provider.ErrConfig},
		"too many requests":                   {status: 429, header: http.Header{"Retry-After": {"7"}}, body: `{"error":"too_many_requests"}`, want: provider.ErrUnavailable, seconds: 7},
		"the server is down":                  {status: 503, header: http.Header{"Retry-After": {"9"}}, body: `Service Unavailable`, want: provider.ErrUnavailable, text: "HTTP 503", seconds: 9},
		"the server is down and sends a code": {status: 500, body: `{"error":"server_error"}`, want: provider.ErrUnavailable},
		"the server is busy and answers 400":  {status: 400, body: `{"error":"temporarily_unavailable"}`, want: provider.ErrUnavailable},
		"a proxy":                             {status: 403, body: `<html>Forbidden</html>`, want: provider.ErrUnavailable, text: "is there a proxy"},
		"a portal":                            {status: 200, body: `<html>Welcome to the hotel</html>`, want: provider.ErrUnavailable, text: "sign-in page of the network"},
		"an answer without a token":           {status: 200, body: `{}`, want: provider.ErrUnavailable},
		"a redirect":                          {status: 302, header: http.Header{"Location": {"https://evil.example/"}}, body: ` `, want: provider.ErrUnavailable, text: "redirect"},
		"an answer that is too large":         {status: 200, body: `{"access_token":"` + strings.Repeat("a", 1<<20) + `"}`, want: provider.ErrUnavailable},
		"DPoP":                                {status: 200, body: `{"access_token":"a","token_type":"DPoP"}`, want: provider.ErrTokenInvalid, text: `type "DPoP"`},
		"repeats the secret":                  {status: 400, body: `{"error":"invalid_grant","error_description":"no such token: ` + strings.Repeat(secret, 3) + `"}`, want: provider.ErrRejected},
		"a secret as the code":                {status: 400, body: `{"error":"` + strings.Repeat(secret, 4) + `"}`, want: provider.ErrUnavailable},
		"escape sequences":                    {status: 400, body: `{"error":"invalid_grant","error_description":"\u001b]0;x\u0007 no"}`, want: provider.ErrRejected, text: ": ]0;x no"},
		"a lifetime in words":                 {status: 200, body: `{"access_token":"a","expires_in":"` + secret + `"}`, want: provider.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := deviceClient(reply{status: test.status, header: test.header, body: test.body})
			_, err := client.Refresh(t.Context(), provider.NewSecret(secret))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want %v with %q", err, test.want, test.text)
			}
			if got := provider.RetryAfter(err); got != time.Duration(test.seconds)*time.Second {
				t.Errorf("retry after %s", got)
			}
			if all := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(all, secret) {
				t.Errorf("the error contains the secret: %s", all)
			}
		})
	}
}

func TestClientCredentials(t *testing.T) {
	s := newIssuer(t)
	extra := url.Values{"audience": {"db"}}
	var seen *http.Request
	s.token = func(w http.ResponseWriter, r *http.Request) {
		seen = r
		answer(w, 200, map[string]any{"access_token": "a", "expires_in": 60})
	}
	for _, methods := range [][]string{nil, {"client_secret_basic"}, {"client_secret_basic", "client_secret_post"}} {
		s.metadata = map[string]any{"token_endpoint_auth_methods_supported": methods}
		client := s.client(t)
		client.Secret = provider.NewSecret(testSecret)
		if _, err := client.ClientCredentials(t.Context(), []string{"read"}, extra); err != nil {
			t.Fatal(err)
		}
		_, password, inHeader := seen.BasicAuth()
		if slices.Contains(methods, "client_secret_post") == inHeader || inHeader && password != testSecret || !inHeader && seen.PostFormValue("client_secret") != testSecret {
			t.Errorf("%v: header %v, %v", methods, seen.Header, seen.PostForm)
		}
		if seen.PostFormValue("audience") != "db" || seen.PostFormValue("scope") != "read" || seen.PostFormValue("grant_type") != "client_credentials" {
			t.Errorf("sent %v", seen.PostForm)
		}
	}
}

// A private key signs an assertion in place of a secret: used once, for this issuer, valid
// for minutes.
func TestPrivateKeyJWT(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) provider.Secret {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return provider.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	}
	for _, test := range []struct {
		pem            provider.Secret
		algorithm, alg string
		public         any
	}{
		{pkcs8(testKey()), "", "RS256", &testKey().PublicKey},
		{pkcs8(testKey()), "PS256", "PS256", &testKey().PublicKey},
		{pkcs8(ec), "", "ES256", &ec.PublicKey},
	} {
		s := newIssuer(t)
		client := s.client(t)
		if client.Key, err = oauth.ParseKey(test.pem, test.algorithm, "key-7"); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for range 2 {
			if _, err := client.ClientCredentials(t.Context(), nil, nil); err != nil {
				t.Fatal(err)
			}
			form := s.forms[len(s.forms)-1]
			claims := jwt.RegisteredClaims{}
			token, err := jwt.ParseWithClaims(form.Get("client_assertion"), &claims, func(*jwt.Token) (any, error) { return test.public, nil },
				jwt.WithValidMethods([]string{test.alg}), jwt.WithAudience(s.URL), jwt.WithIssuer(testID), jwt.WithSubject(testID), jwt.WithExpirationRequired())
			if err != nil || token.Header["kid"] != "key-7" || claims.ExpiresAt.Sub(claims.IssuedAt.Time) > 5*time.Minute {
				t.Fatalf("the assertion doesn't verify or has wrong claims: %v: %+v", err, token)
			}
			ids[claims.ID] = true
			if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || form.Has("client_secret") {
				t.Errorf("sent %v", form)
			}
		}
		if len(ids) != 2 {
			t.Error("two assertions have the same jti")
		}
		if text := fmt.Sprintf("%v %+v %#v", client.Key, client.Key, *client.Key); strings.Contains(text, "PRIVATE") || len(text) > 200 {
			t.Errorf("the key prints as %s", text)
		}
	}
	for text, algorithm := range map[string]string{"": "", "hello": "", "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----": "", pkcs8(ec).Reveal(): "RS256"} {
		if key, err := oauth.ParseKey(provider.NewSecret(text), algorithm, ""); !errors.Is(err, provider.ErrConfig) {
			t.Errorf("ParseKey(%.30q) = %v, %v, want ErrConfig", text, key, err)
		}
	}
}

func TestRevoke(t *testing.T) {
	s := newIssuer(t)
	client := s.client(t)
	if err := client.Revoke(t.Context(), provider.NewSecret("r-1")); err != nil || !slices.Equal(s.revoked, []string{"r-1"}) {
		t.Errorf("%v, revoked %q", err, s.revoked)
	}
	client.Metadata.RevocationEndpoint = ""
	if err := client.Revoke(t.Context(), provider.NewSecret("r-1")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without an endpoint: %v, want ErrUnsupported", err)
	}
	dead, _ := deviceClient(reply{})
	dead.Metadata.RevocationEndpoint = "https://login.example/revoke"
	if err := dead.Revoke(t.Context(), provider.NewSecret("r-1")); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("without a network: %v, want ErrUnavailable", err)
	}
}

// FuzzToken checks that an answer of a token endpoint gives both tokens or a short error that
// has a kind.
func FuzzToken(f *testing.F) {
	f.Add(200, "application/json", tokens.body)
	f.Add(400, "application/json", `{"error":"invalid_grant","error_description":"x"}`)
	f.Add(200, "text/plain", "access_token=a&expires_in=x")
	f.Add(200, "application/json", `{"access_token":"a","expires_in":1e400}`)
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 100 || status > 999 || body == "" {
			return
		}
		client, _ := deviceClient(reply{status: status, body: body, header: http.Header{"Content-Type": {contentType}}})
		got, err := client.Refresh(t.Context(), provider.NewSecret("r3fresh-token"))
		switch {
		case err == nil && (got.Access.IsZero() || got.Refresh.IsZero() || status/100 != 2):
			t.Errorf("accepted %+v", got)
		case err != nil && provider.Kind(err) == nil:
			t.Errorf("an error without a kind: %v", err)
		case err != nil && len(err.Error()) > 500:
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}

// FuzzDevice checks that only printable codes and web pages are shown.
func FuzzDevice(f *testing.F) {
	f.Add(deviceAnswer)
	f.Add(`{"device_code":"d","user_code":"u","verification_url":"https://x.example","expires_in":-1}`)
	f.Fuzz(func(t *testing.T, body string) {
		if body == "" {
			return
		}
		client, _ := deviceClient(reply{status: 200, body: body})
		p := &person{}
		host := &ending{person: p}
		if _, err := client.Device(t.Context(), host, oauth.DeviceOptions{OpenPage: true}); err == nil {
			t.Error("signed in")
		}
		if strings.ContainsAny(host.code, "\x1b\n\r") || host.page != "" && !strings.HasPrefix(strings.ToLower(host.page), "http") {
			t.Errorf("showed %q %q", host.code, host.page)
		}
	})
}

// ending is a Host that fails when a page is opened.
type ending struct {
	*person
	code, page string
}

func (e *ending) OpenURL(_ context.Context, page, code string) error {
	e.code, e.page = code, page
	return io.EOF
}
