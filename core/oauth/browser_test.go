package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

func verifier(t testing.TB, s *issuer) *jwks.Verifier {
	t.Helper()
	set, err := keyset.New(s.URL+"/jwks", keyset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := jwks.NewVerifier(set, jwks.Policy{Issuer: s.URL, Algorithms: []string{"RS256"}, AllowIDToken: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBrowser(t *testing.T) {
	s := newIssuer(t)
	client := s.client(t)
	p := &person{}
	browses(p)
	var got oauth.Tokens
	err := client.Browser(t.Context(), p, oauth.BrowserOptions{
		Scopes: []string{"openid", "offline_access"}, Params: url.Values{"audience": {"db"}},
	}, func(ctx context.Context, tokens oauth.Tokens) (string, error) {
		p.mu.Lock()
		if p.page != "" {
			t.Errorf("the browser shows a result before the tokens are stored: %s", p.page)
		}
		p.mu.Unlock()
		got = tokens
		id, err := client.VerifyID(ctx, verifier(t, s), tokens)
		return id.Person(), err
	})
	p.opened.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if got.Access.IsZero() || got.Refresh.Reveal() != s.refresh || time.Until(got.Expires) < 50*time.Minute {
		t.Errorf("tokens %+v", got)
	}
	if !strings.HasPrefix(p.page, "200 ") || !strings.Contains(p.page, "authorised as alice@example.test") {
		t.Errorf("the browser shows %s", p.page)
	}
	form := s.forms[0]
	if form.Get("client_id") != testID || form.Has("client_secret") || !strings.HasPrefix(form.Get("redirect_uri"), "http://127.0.0.1:") {
		t.Errorf("the token request was %v", form)
	}
}

// A failed sign-in is reported in the browser and, with its kind, to the caller.
func TestBrowserRefused(t *testing.T) {
	back := func(values ...string) func(page string) {
		return func(page string) {
			u, _ := url.Parse(page)
			q := url.Values{"state": {u.Query().Get("state")}}
			for i := 0; i < len(values); i += 2 {
				q.Set(values[i], values[i+1])
			}
			if res, err := http.Get(u.Query().Get("redirect_uri") + "?" + q.Encode()); err == nil {
				_ = res.Body.Close()
			}
		}
	}
	for name, test := range map[string]struct {
		visit    func(string)
		metadata map[string]any
		want     error
		text     string
	}{
		"denied":        {visit: back("error", "access_denied", "error_description", "No."), want: provider.ErrRejected, text: "access_denied: No"},
		"unauthorized":  {visit: back("error", "unauthorized_client"), want: provider.ErrConfig, text: "unauthorized_client"},
		"server error":  {visit: back("error", "server_error"), want: provider.ErrUnavailable, text: "server_error"},
		"no code":       {visit: back("x", "y"), want: provider.ErrTokenInvalid, text: "no code"},
		"wrong code":    {visit: back("code", "f4lse-c0de"), want: provider.ErrRejected, text: "invalid_grant"},
		"mix-up attack": {visit: back("code", "c", "iss", "https://evil.example"), want: provider.ErrTokenInvalid, text: "the issuer \"https://evil.example\""},
		"no iss": {
			visit: back("code", "c"), metadata: map[string]any{"authorization_response_iss_parameter_supported": true},
			want: provider.ErrTokenInvalid, text: "the issuer \"\"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newIssuer(t)
			s.metadata = test.metadata
			p := &person{visit: test.visit}
			err := s.client(t).Browser(t.Context(), p, oauth.BrowserOptions{}, func(context.Context, oauth.Tokens) (string, error) {
				t.Error("tokens were returned")
				return "", nil
			})
			p.opened.Wait()
			if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.text) {
				t.Errorf("got %v, want %v with %q", err, test.want, test.text)
			}
			if strings.Contains(fmt.Sprint(err), "f4lse-c0de") {
				t.Errorf("the error contains the code: %v", err)
			}
		})
	}
}

// If the tokens can't be stored, the browser shows no success.
func TestBrowserNotStored(t *testing.T) {
	s := newIssuer(t)
	p := &person{}
	browses(p)
	full := errors.New("the disk is full")
	err := s.client(t).Browser(t.Context(), p, oauth.BrowserOptions{}, func(context.Context, oauth.Tokens) (string, error) { return "", full })
	p.opened.Wait()
	if !errors.Is(err, full) || !strings.HasPrefix(p.page, "400 ") || !strings.Contains(p.page, "the disk is full") {
		t.Errorf("%v; the browser shows %s", err, p.page)
	}
}

// An issuer that doesn't know the redirect URI reports that only in the browser.
func TestSilence(t *testing.T) {
	s := newIssuer(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &person{says: make(chan string, 10)}
	ended := make(chan error)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	go func() {
		ended <- s.client(t).Browser(ctx, p, oauth.BrowserOptions{
			Ports: []int{port, port + 1}, Silence: time.Millisecond, Mismatch: "Callback URL mismatch", Where: "Allowed Callback URLs",
		}, nil)
	}()
	want := fmt.Sprintf(`"Callback URL mismatch", register for the application client-1, in Allowed Callback URLs: `+
		"http://127.0.0.1:%d/callback, http://127.0.0.1:%d/callback", port, port+1)
	for said := ""; !strings.Contains(said, want); {
		select {
		case said = <-p.says:
		case err := <-ended:
			t.Fatalf("Browser ended with %v after the notices\n%s\nwant %s", err, p.heard(), want)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("Browser = %v, want ErrNoCredential", err)
	}
}

func TestPortsTaken(t *testing.T) {
	s := newIssuer(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	err = s.client(t).Browser(t.Context(), &person{}, oauth.BrowserOptions{
		Ports: []int{taken.Addr().(*net.TCPAddr).Port}, Otherwise: "--method device",
	}, nil)
	if !errors.Is(err, provider.ErrUnavailable) || !strings.HasSuffix(provider.Hint(err), "or sign in with --method device") {
		t.Errorf("got %v, hint %q", err, provider.Hint(err))
	}
}

func TestEndSessionURL(t *testing.T) {
	client := &oauth.Client{ID: "a b", Metadata: oauth.Metadata{EndSessionEndpoint: "https://login.example/logout?x=1"}}
	if got := client.EndSessionURL(); got != "https://login.example/logout?client_id=a+b&x=1" {
		t.Error(got)
	}
	if got := new(oauth.Client).EndSessionURL(); got != "" {
		t.Error(got)
	}
}

// TestTryBrowser covers each answer to the first request of a sign-in.
func TestTryBrowser(t *testing.T) {
	const address = "http://127.0.0.1:53682/callback"
	s := newIssuer(t)
	client := s.client(t)
	for name, tt := range map[string]struct {
		status   int
		location string
		known    bool
		want     error
		says     string
	}{
		"a page to sign in":         {302, s.URL + "/login", true, nil, ""},
		"a code at once":            {303, address + "?code=c", true, nil, ""},
		"an error page":             {400, "", false, nil, ""},
		"a page without a redirect": {200, "", false, nil, ""},
		"a redirect to nowhere":     {302, "", false, nil, ""},
		"an error at another URL":   {302, s.URL + "/login?error=x", true, nil, ""},
		"an error for the client":   {302, address + "?error=invalid_target&error_description=No+such+API.", true, provider.ErrConfig, "test: no sign-in can begin: No such API (invalid_target)"},
		"an unavailable issuer":     {503, "", false, provider.ErrUnavailable, "test: begin a sign-in: HTTP 503"},
		"too many requests":         {429, "", false, provider.ErrUnavailable, "HTTP 429"},
		"an error with a bad code":  {302, address + "?error=" + strings.Repeat("x", 60), true, provider.ErrConfig, "no sign-in can begin"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := url.Values{}
			page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Query()
				if tt.location != "" {
					w.Header().Set("Location", tt.location)
				}
				w.WriteHeader(tt.status)
			}))
			defer page.Close()
			client.Metadata.AuthorizationEndpoint = page.URL
			known, err := client.TryBrowser(t.Context(), address, oauth.BrowserOptions{Scopes: []string{"email"}, Params: url.Values{"audience": {"db"}}})
			if known != tt.known || !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("TryBrowser = %v, %v", known, err)
			}
			if asked.Get("redirect_uri") != address || asked.Get("audience") != "db" || asked.Get("code_challenge") == "" || asked.Get("client_id") != testID {
				t.Errorf("the request was %v", asked)
			}
		})
	}
}
