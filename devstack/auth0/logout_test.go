package auth0_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// person is a browser that keeps its cookies and follows redirects.
type person struct {
	*bench
	client http.Client
}

func (b *bench) person() *person {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return &person{b, http.Client{Jar: jar}}
}

// open follows an address to its final page; a form, if any, is posted.
func (p *person) open(address string, form url.Values) (*url.URL, int) {
	p.t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.Request.URL, resp.StatusCode
}

// signIn signs Alice in and returns the tokens.
func (p *person) signIn() reply {
	p.t.Helper()
	at, _ := p.open(p.url+"/authorize?"+p.request().Encode(), nil)
	state := at.Query()["state"]
	p.open(p.url+"/u/login", url.Values{"state": state, "account": {"alice@example.test"}})
	at, _ = p.open(p.url+"/u/consent", url.Values{"state": state, "decision": {"authorise"}})
	r := p.exchange(at.Query().Get("code"))
	p.want(r, 200, "")
	return r
}

// silently returns the callback of a request with prompt=none.
func (p *person) silently() string {
	p.t.Helper()
	at, _ := p.open(p.url+"/authorize?"+p.request("prompt", "none").Encode(), nil)
	return at.Query().Get("error")
}

// TestLogout checks that revoking a refresh token leaves the browser signed in, and that
// a logout signs it out and redirects only to a registered address.
func TestLogout(t *testing.T) {
	const signedIn, signedOut = "interaction_required", "login_required"
	for _, tt := range []struct {
		name, address string
		ends          bool
		status        int
	}{
		{"oidc", "/oidc/logout?id_token_hint={id}&state=s1&post_logout_redirect_uri={to}", true, 200},
		{"v2", "/v2/logout?client_id=native&returnTo={to}", true, 200},
		{"v2, nowhere to go", "/v2/logout", true, 200},
		{"asks", "/oidc/logout", false, 200},
		{"another session", "/oidc/logout?logout_hint=other&client_id=native", false, 200},
		{"foreign address", "/oidc/logout?id_token_hint={id}&post_logout_redirect_uri=https://evil.test", false, 400},
		{"address of nobody's", "/oidc/logout?post_logout_redirect_uri={to}", false, 400},
		{"rubbish hint", "/oidc/logout?id_token_hint=x.y.z", false, 400},
		{"another's hint", "/oidc/logout?id_token_hint={id}&client_id=web", false, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			p := b.person()
			tokens := p.signIn()
			b.want(b.post("/oauth/revoke", url.Values{"client_id": {"native"}, "token": {tokens.text("refresh_token")}}), 200, "")
			if got := p.silently(); got != signedIn {
				t.Fatalf("after a revocation: %s", got)
			}
			address := strings.NewReplacer("{id}", tokens.text("id_token"), "{to}", url.QueryEscape(b.callback)).Replace(tt.address)
			at, status := p.open(b.url+address, nil)
			if status != tt.status || (tt.name == "oidc" && at.String() != b.callback+"?state=s1") {
				t.Errorf("%d at %s", status, at)
			}
			want := signedIn
			if tt.ends {
				want = signedOut
			}
			if got := p.silently(); got != want {
				t.Errorf("afterwards: %s, want %s", got, want)
			}
		})
	}
}

// TestLogoutAsked checks that the person's answer decides.
func TestLogoutAsked(t *testing.T) {
	b := newBench(t)
	who := alice()
	if at, err := who.Visit(t.Context(), b.url+"/oidc/logout"); err != nil || at.Path != "/u/logout" {
		t.Errorf("signed out already: %v, %v", at, err)
	}
	p := b.person()
	p.signIn()
	if _, status := p.open(b.url+"/u/logout", url.Values{"decision": {"authorise"}}); status != http.StatusForbidden {
		t.Errorf("a form without the page's token: %d", status)
	}
	if got := p.silently(); got != "interaction_required" {
		t.Errorf("afterwards: %s", got)
	}
}
