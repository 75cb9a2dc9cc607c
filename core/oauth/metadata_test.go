package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

func TestDiscover(t *testing.T) {
	const good = `{"issuer":"URL","authorization_endpoint":"URL/a","token_endpoint":"https://tokens.example/t","jwks_uri":"URL/k"}`
	for name, test := range map[string]struct {
		issuer string // after the server's address
		at     string
		status int
		body   string
		want   error
		text   string
	}{
		"OpenID Connect":                    {"", "/.well-known/openid-configuration", 200, good, nil, ""},
		"an issuer with a slash at the end": {"/", "/.well-known/openid-configuration", 200, strings.Replace(good, `"URL"`, `"URL/"`, 1), nil, ""},
		"an issuer with a path":             {"/realms/x", "/realms/x/.well-known/openid-configuration", 200, strings.Replace(good, `"URL"`, `"URL/realms/x"`, 1), nil, ""},
		"RFC 8414":                          {"", "/.well-known/oauth-authorization-server", 200, good, nil, ""},
		"RFC 8414, a path":                  {"/realms/x", "/.well-known/oauth-authorization-server/realms/x", 200, strings.Replace(good, `"URL"`, `"URL/realms/x"`, 1), nil, ""},
		"a slash too many":                  {"/", "/.well-known/openid-configuration", 200, good, provider.ErrConfig, "letter by letter"},
		"a slash too few":                   {"", "/.well-known/openid-configuration", 200, strings.Replace(good, `"URL"`, `"URL/"`, 1), provider.ErrConfig, "letter by letter"},
		"another issuer":                    {"", "/.well-known/openid-configuration", 200, strings.Replace(good, `"URL"`, `"https://evil.example"`, 1), provider.ErrConfig, "of the issuer \"https://evil.example\""},
		"no issuer":                         {"", "/.well-known/openid-configuration", 200, `{}`, provider.ErrConfig, "of the issuer \"\""},
		"http endpoint":                     {"", "/.well-known/openid-configuration", 200, strings.Replace(good, "https://tokens", "http://tokens", 1), provider.ErrConfig, "token_endpoint"},
		"endpoint with a user":              {"", "/.well-known/openid-configuration", 200, strings.Replace(good, "https://tokens", "https://u:p@tokens", 1), provider.ErrConfig, "token_endpoint"},
		"HTML":                              {"", "/.well-known/openid-configuration", 200, `<html>`, provider.ErrUnavailable, "a web site's"},
		"too large":                         {"", "/.well-known/openid-configuration", 200, strings.Repeat(" ", 1<<20) + good, provider.ErrUnavailable, "larger than 1 MiB"},
		"a redirect":                        {"", "/.well-known/openid-configuration", 302, good, provider.ErrConfig, "redirect"},
		"the server is down":                {"", "/.well-known/openid-configuration", 503, good, provider.ErrUnavailable, "HTTP 503"},
		"no metadata at either address":     {"", "/elsewhere", 200, good, provider.ErrConfig, "HTTP 404"},
	} {
		t.Run(name, func(t *testing.T) {
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != test.at {
					http.NotFound(w, r)
					return
				}
				w.Header().Set("Location", "/other")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(strings.ReplaceAll(test.body, "URL", server.URL)))
			}))
			defer server.Close()
			got, err := oauth.Discover(t.Context(), server.URL+test.issuer, oauth.DiscoverOptions{Name: "test"})
			if test.want == nil && (err != nil || got.Issuer != server.URL+test.issuer || got.TokenEndpoint != "https://tokens.example/t") {
				t.Errorf("Discover = %+v, %v", got, err)
			}
			if test.want != nil && (!errors.Is(err, test.want) || !strings.Contains(err.Error()+provider.Hint(err), test.text)) {
				t.Errorf("got %v, hint %q, want %v with %q", err, provider.Hint(err), test.want, test.text)
			}
		})
	}
	for _, issuer := range []string{"", "login.example", "http://login.example", "https://u:p@login.example", "https://login.example?x=1", "https://login.example#x", "ftp://login.example", "https://"} {
		if _, err := oauth.Discover(t.Context(), issuer, oauth.DiscoverOptions{}); !errors.Is(err, provider.ErrConfig) {
			t.Errorf("Discover(%q) = %v, want ErrConfig", issuer, err)
		}
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	if _, err := oauth.Discover(t.Context(), closed.URL, oauth.DiscoverOptions{}); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("a closed port: %v, want ErrUnavailable", err)
	}
}

// go-oidc and x/oauth2 agree with this package on an issuer's metadata, the authorization
// URL, and which ID tokens are valid.
func TestAgreesWithGoOIDC(t *testing.T) {
	s := newIssuer(t)
	client := s.client(t)
	theirs, err := oidc.NewProvider(t.Context(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if e := theirs.Endpoint(); e.AuthURL != client.Metadata.AuthorizationEndpoint || e.TokenURL != client.Metadata.TokenEndpoint {
		t.Errorf("endpoints %+v, ours %+v", e, client.Metadata)
	}

	p := &person{}
	browses(p)
	err = client.Browser(t.Context(), p, oauth.BrowserOptions{Scopes: []string{"openid", "email"}}, func(_ context.Context, tokens oauth.Tokens) (string, error) {
		id, err := theirs.Verifier(&oidc.Config{ClientID: testID}).Verify(t.Context(), tokens.ID.Reveal())
		if err == nil && (id.Nonce != tokens.Nonce || id.Subject != "alice-1") {
			t.Errorf("go-oidc returned %+v", id)
		}
		return "alice", err
	})
	p.opened.Wait()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := url.Parse(strings.Fields(strings.TrimPrefix(p.heard(), "open "))[0])
	if err != nil {
		t.Fatal(err)
	}
	q := opened.Query()
	config := oauth2.Config{ClientID: testID, Endpoint: theirs.Endpoint(), RedirectURL: q.Get("redirect_uri"), Scopes: []string{"openid", "email"}}
	want, _ := url.Parse(config.AuthCodeURL(q.Get("state"), oidc.Nonce(q.Get("nonce")),
		oauth2.SetAuthURLParam("code_challenge", q.Get("code_challenge")), oauth2.SetAuthURLParam("code_challenge_method", "S256")))
	if want.String() != opened.String() {
		t.Errorf("opened %s, x/oauth2 opens %s", opened, want)
	}

	ours := verifier(t, s)
	with := func(changes map[string]any) string {
		claims := s.idClaims()
		claims["nonce"] = "n-1"
		for name, value := range changes {
			claims[name] = value
			if value == nil {
				delete(claims, name)
			}
		}
		return sign(claims)
	}
	for name, test := range map[string]struct {
		token        string
		good, theirs bool
	}{
		"good":                              {with(nil), true, true},
		"an audience that is a list of one": {with(map[string]any{"aud": []string{testID}}), true, true},
		"another client's token":            {with(map[string]any{"aud": "client-2"}), false, false},
		"no audience":                       {with(map[string]any{"aud": nil}), false, false},
		"another issuer's token":            {with(map[string]any{"iss": "https://evil.example"}), false, false},
		"an issuer with a slash":            {with(map[string]any{"iss": s.URL + "/"}), false, false},
		"expired":                           {with(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), false, false},
		"no exp":                            {with(map[string]any{"exp": nil}), false, false},
		"not yet valid":                     {with(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), false, false},
		"a forged signature":                {with(nil)[:len(with(nil))-8] + "AAAAAAAA", false, false},
		"not a JWT":                         {"hello", false, false},
		// go-oidc leaves these checks to its callers.
		"another nonce":                  {with(map[string]any{"nonce": "n-2"}), false, true},
		"no nonce":                       {with(map[string]any{"nonce": nil}), false, true},
		"another azp":                    {with(map[string]any{"azp": "client-2"}), false, true},
		"several audiences":              {with(map[string]any{"aud": []string{testID, "client-2"}}), false, true},
		"several audiences, but our azp": {with(map[string]any{"aud": []string{testID, "client-2"}, "azp": testID}), true, true},
		"no subject":                     {with(map[string]any{"sub": ""}), false, true},
	} {
		id, err := client.VerifyID(t.Context(), ours, oauth.Tokens{ID: provider.NewSecret(test.token), Nonce: "n-1"})
		if (err == nil) != test.good || err == nil && id.Person() != "alice@example.test" {
			t.Errorf("%s: VerifyID = %v, %+v", name, err, id)
		}
		if _, err := theirs.Verifier(&oidc.Config{ClientID: testID}).Verify(t.Context(), test.token); (err == nil) != test.theirs {
			t.Errorf("%s: go-oidc: %v", name, err)
		}
	}
	if _, err := client.VerifyID(t.Context(), ours, oauth.Tokens{}); !errors.Is(err, provider.ErrTokenInvalid) {
		t.Errorf("no ID token: %v, want ErrTokenInvalid", err)
	}
}

// FuzzMetadata checks that accepted metadata is the issuer's and sends nothing unencrypted.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://login.example/","token_endpoint":"https://login.example/t","scopes_supported":["openid"]}`))
	f.Add([]byte(`{"issuer":"https://login.example/","jwks_uri":"http://[::1]:80/k"}`))
	f.Add([]byte(`{"issuer":null,"token_endpoint":7}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		m, err := oauth.ParseMetadata(document, "https://login.example/")
		if err != nil {
			return
		}
		if m.Issuer != "https://login.example/" || !json.Valid(document) {
			t.Errorf("accepted %+v", m)
		}
		for _, endpoint := range []string{m.AuthorizationEndpoint, m.TokenEndpoint, m.DeviceEndpoint, m.RevocationEndpoint, m.EndSessionEndpoint, m.KeySetURL} {
			u, err := url.Parse(endpoint)
			if endpoint != "" && (err != nil || u.Scheme != "https" && u.Hostname() != "localhost" && !strings.HasPrefix(u.Hostname(), "127.") && !strings.Contains(u.Hostname(), ":")) {
				t.Errorf("accepted the endpoint %q", endpoint)
			}
		}
	})
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"All is well.":           "All is well",
		"a\x1b[2Jb\n":            "a[2Jb",
		strings.Repeat("x", 51):  "",
		strings.Repeat("é ", 99): strings.TrimSpace(strings.Repeat("é ", 53)) + " ",
	} {
		if got := oauth.Harmless(text); got != want && len(text) < 100 || len(got) > 160 {
			t.Errorf("Harmless(%q) = %q", text, got)
		}
	}
	if fmt.Sprint(&oauth.Error{Code: "c"}) != "c" {
		t.Error("an error without a description is not its code")
	}
}
