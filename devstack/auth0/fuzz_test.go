package auth0_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/auth0"
)

// FuzzAPI checks that no body crashes an endpoint or gets tokens.
func FuzzAPI(f *testing.F) {
	for _, body := range []string{
		"grant_type=authorization_code&client_id=native&code=x&redirect_uri=%2F", `{"grant_type":"refresh_token","client_id":"native","refresh_token":[1]}`,
		"grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=native&device_code=", "client_id=native&token=x&scope=%20%20", "%zz", `{"a":`,
	} {
		for _, kind := range []string{"application/x-www-form-urlencoded", "application/json", "text/plain; charset"} {
			f.Add(kind, body)
		}
	}
	tenant, err := auth0.New(auth0.Options{BaseURL: "http://127.0.0.1:1", Keys: testKeys()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		for _, path := range []string{"/oauth/token", "/oauth/device/code", "/oauth/revoke", "/authorize", "/u/login", "/u/activate", "/u/consent"} {
			req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			req.Header["Content-Type"] = []string{kind}
			w := httptest.NewRecorder()
			tenant.Handler().ServeHTTP(w, req)
			if w.Code >= 500 || strings.Contains(w.Body.String(), "access_token") {
				t.Errorf("%s: answer %d %s", path, w.Code, w.Body)
			}
		}
	})
}

// FuzzAuthorize checks that a browser is only redirected to the tenant's own pages or a
// callback of the application.
func FuzzAuthorize(f *testing.F) {
	tenant, err := auth0.New(auth0.Options{BaseURL: "http://127.0.0.1:1", Keys: testKeys()})
	if err != nil {
		f.Fatal(err)
	}
	callback := auth0.DefaultCallbacks()[0]
	f.Add(callback, "code", "state-1", "openid", auth0.DefaultAudience, "")
	f.Add(callback+"@evil.test", "token", "\r\nX: y", "a b", "https://x", "acme")
	f.Add("//evil.test", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, redirect, kind, state, scope, audience, organization string) {
		q := url.Values{
			"client_id": {auth0.DefaultClientID}, "redirect_uri": {redirect}, "response_type": {kind}, "state": {state}, "scope": {scope},
			"audience": {audience}, "organization": {organization},
		}
		w := httptest.NewRecorder()
		tenant.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/authorize?"+q.Encode(), nil))
		to := w.Header().Get("Location")
		if w.Code >= 500 || (to != "" && !strings.HasPrefix(to, "/u/login?") && !strings.HasPrefix(to, callback[:len("http://127.0.0.1:")])) {
			t.Errorf("%d to %q", w.Code, to)
		}
	})
}

// FuzzUserinfo checks that only the tenant's own tokens show a profile.
func FuzzUserinfo(f *testing.F) {
	tenant, err := auth0.New(auth0.Options{BaseURL: "http://127.0.0.1:1", Keys: testKeys()})
	if err != nil {
		f.Fatal(err)
	}
	for _, token := range []string{"", "a.b.c", "a..b.c.d", "eyJhbGciOiJkaXIifQ..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		req := httptest.NewRequest(http.MethodGet, "/userinfo", nil)
		req.Header["Authorization"] = []string{"Bearer " + token}
		w := httptest.NewRecorder()
		tenant.Handler().ServeHTTP(w, req)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("answer %d %s", w.Code, w.Body)
		}
	})
}
