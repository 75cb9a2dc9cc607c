package auth0_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/browse"
)

func TestCodeFlow(t *testing.T) {
	b := newBench(t)
	r := b.tokens()
	if r.text("token_type") != "Bearer" || r.body["expires_in"] != 86400.0 || r.text("scope") != "openid profile email offline_access read:db" {
		t.Errorf("answer %v", r.body)
	}
	access := b.claims(r.text("access_token"))
	if !reflect.DeepEqual(access["aud"], []any{auth0.DefaultAudience, b.url + "/userinfo"}) || access["azp"] != "native" {
		t.Errorf("access token %v", access)
	}
	if access["id"] != "db-1" || access["a"] != "rw" || access["rid"] != "rid-1" || access["perm"] == nil {
		t.Errorf("the Action's claims: %v", access)
	}
	if !strings.HasPrefix(access["sub"].(string), "auth0|") || access["roles"] != nil {
		t.Errorf("restricted claims are in the token: %v", access)
	}
	id := b.claims(r.text("id_token"))
	if id["aud"] != "native" || id["nonce"] != "n-1" || id["email"] != "alice@example.test" || id["name"] != "Alice Archer" || id["a"] != nil {
		t.Errorf("id_token %v", id)
	}
	if r.text("refresh_token") == "" {
		t.Error("no refresh token")
	}
}

// TestAudience checks that the form of an access token depends on its audience.
func TestAudience(t *testing.T) {
	b := newBench(t)
	if r := b.tokens("audience", ""); strings.Count(r.text("access_token"), ".") != 4 {
		t.Errorf("without an audience: %s", r.text("access_token"))
	}
	if aud := b.claims(b.tokens("scope", "read:db").text("access_token"))["aud"]; aud != auth0.DefaultAudience {
		t.Errorf("without openid: aud %v", aud)
	}
	r := b.tokens("audience", "https://rfc9068.test")
	token, err := b.parse(r.text("access_token"))
	if err != nil || token.Header["typ"] != "at+jwt" || b.claims(token.Raw)["client_id"] != "native" || r.body["expires_in"] != 3600.0 {
		t.Errorf("RFC 9068: %v, %v", token, err)
	}
	if r.text("refresh_token") != "" {
		t.Error("a refresh token although the API allows no offline access")
	}
}

func TestUserinfo(t *testing.T) {
	b := newBench(t)
	get := func(token string) reply {
		req, err := http.NewRequest(http.MethodGet, b.url+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return b.read(resp)
	}
	opaque, jwt := b.tokens("audience", "").text("access_token"), b.tokens()
	for _, token := range []string{opaque, jwt.text("access_token")} {
		if r := get(token); r.status != 200 || r.text("email") != "alice@example.test" {
			t.Errorf("userinfo: %d %v", r.status, r.body)
		}
	}
	for name, token := range map[string]string{
		"id_token": jwt.text("id_token"), "rubbish": "x", "without openid": b.tokens("scope", "read:db").text("access_token"), "cut": opaque[:len(opaque)-4],
	} {
		if r := get(token); r.status != 401 || r.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: get = %d", name, r.status)
		}
	}
	b.advance(auth0.DefaultTokenLifetime)
	if r := get(opaque); r.status != 401 {
		t.Errorf("expired: %d", r.status)
	}
}

func TestExchangeRefuses(t *testing.T) {
	b := newBench(t)
	for name, tt := range map[string]struct {
		change []string
		status int
		code   string
	}{
		"wrong verifier":     {[]string{"code_verifier", "wrong"}, 403, "invalid_grant"},
		"no verifier":        {[]string{"code_verifier", ""}, 403, "invalid_grant"},
		"another redirect":   {[]string{"redirect_uri", "http://127.0.0.1:1/callback"}, 403, "unauthorized_client"},
		"another code":       {[]string{"code", "x"}, 403, "invalid_grant"},
		"no code":            {[]string{"code", ""}, 400, "invalid_request"},
		"another client":     {[]string{"client_id", "leeway"}, 403, "invalid_grant"},
		"unknown client":     {[]string{"client_id", "nobody"}, 403, "invalid_request"},
		"no client":          {[]string{"client_id", ""}, 400, "invalid_request"},
		"no grant type":      {[]string{"grant_type", ""}, 400, "invalid_request"},
		"unknown grant type": {[]string{"grant_type", "password"}, 403, "unsupported_grant_type"},
		"grant not allowed":  {[]string{"grant_type", auth0.GrantDevice, "client_id", "web", "client_secret", "s3cret"}, 403, "unauthorized_client"},
		"wrong secret":       {[]string{"client_id", "web", "client_secret", "x"}, 401, "access_denied"},
	} {
		t.Run(name, func(t *testing.T) { b.want(b.exchange(b.code(), tt.change...), tt.status, tt.code) })
	}
	code := b.code()
	b.want(b.exchange(code), 200, "")
	b.want(b.exchange(code), 403, "invalid_grant")
	b.want(b.exchange(b.code("code_challenge", "", "code_challenge_method", "")), 401, "access_denied")
	code = b.code()
	b.advance(11 * 60e9)
	b.want(b.exchange(code), 403, "invalid_grant")
	resp, err := http.Post(b.url+"/oauth/token", "application/json", strings.NewReader(`{"grant_type":"refresh_token","client_id":"native","refresh_token":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.read(resp), 403, "invalid_grant")
}

// TestAuthorizeRefuses checks which errors are sent to the application's callback, and
// which are only shown as a page.
func TestAuthorizeRefuses(t *testing.T) {
	b := newBench(t)
	for name, tt := range map[string]struct {
		change []string
		code   string
	}{
		"unknown audience":     {[]string{"audience", "https://nothing.test"}, "access_denied"},
		"no response type":     {[]string{"response_type", ""}, "invalid_request"},
		"implicit":             {[]string{"response_type", "token"}, "unsupported_response_type"},
		"plain challenge":      {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"short challenge":      {[]string{"code_challenge", "x"}, "invalid_request"},
		"organization":         {[]string{"organization", "acme"}, "invalid_request"},
		"unknown organization": {[]string{"client_id", "teams", "organization", "nothing"}, "invalid_request"},
		"another's":            {[]string{"client_id", "teams", "organization", "globex"}, "access_denied"},
		"silent":               {[]string{"prompt", "none"}, "login_required"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := b.visit(alice(), b.request(tt.change...))
			if err != nil || got.Get("error") != tt.code || got.Get("error_description") == "" || got.Get("state") != "state-1" {
				t.Errorf("callback got %v, %v", got, err)
			}
		})
	}
	for name, tt := range map[string]struct {
		change []string
		want   string
	}{
		"unknown client":    {[]string{"client_id", "nobody"}, "answered 400"},
		"another port":      {[]string{"redirect_uri", "http://127.0.0.1:1/callback"}, "answered 403"},
		"another path":      {[]string{"redirect_uri", b.callback + "/"}, "answered 403"},
		"a query":           {[]string{"redirect_uri", b.callback + "?x=1"}, "answered 403"},
		"another host name": {[]string{"redirect_uri", strings.Replace(b.callback, "127.0.0.1", "localhost", 1)}, "answered 403"},
		"no redirect":       {[]string{"redirect_uri", ""}, "answered 403"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := b.visit(alice(), b.request(tt.change...)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestPerson(t *testing.T) {
	b := newBench(t)
	if _, err := b.visit(&browse.Browser{Person: browse.Person{User: "alice@example.test", Password: "wrong"}}, b.request()); err == nil ||
		!strings.Contains(err.Error(), "Wrong email or password") {
		t.Errorf("wrong password: %v", err)
	}
	got, err := b.visit(&browse.Browser{Person: browse.Person{User: "bob@example.test", Password: "bob-dev-password"}}, b.request())
	if err != nil || got.Get("code") == "" {
		t.Errorf("password: %v, %v", got, err)
	}
	got, err = b.visit(&browse.Browser{Person: browse.Person{User: "alice"}, Cancel: true}, b.request())
	if err != nil || got.Get("error") != "access_denied" {
		t.Errorf("cancel: %v, %v", got, err)
	}
	b.SetAction(func(l *auth0.Login) { l.Deny("not today") })
	got, err = b.visit(alice(), b.request())
	if err != nil || got.Get("error") != "access_denied" || got.Get("error_description") != "not today" {
		t.Errorf("denied: %v, %v", got, err)
	}
}

// TestSignedInBrowser checks that a signed-in browser is not asked for a password again,
// but that redirects to a loopback address need confirmation each time.
func TestSignedInBrowser(t *testing.T) {
	b := newBench(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	open := func(change ...string) (path string, query url.Values) {
		resp, err := client.Get(b.url + "/authorize?" + b.request(change...).Encode())
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.Request.URL.Path, resp.Request.URL.Query()
	}
	path, query := open()
	resp, err := client.PostForm(b.url+path, url.Values{"state": query["state"], "account": {"alice@example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for _, tt := range []struct{ prompt, path, code string }{
		{"", "/u/consent", ""}, {"login", "/u/login", ""}, {"none", "/callback", "interaction_required"},
	} {
		if path, query := open("prompt", tt.prompt); path != tt.path || query.Get("error") != tt.code {
			t.Errorf("prompt %q: %s %v", tt.prompt, path, query)
		}
	}
	b.advance(4 * 24 * time.Hour)
	if path, _ := open(); path != "/u/login" {
		t.Errorf("days later: %s", path)
	}
}

func TestSkipConfirmation(t *testing.T) {
	b := newBench(t, func(o *auth0.Options) { o.SkipCallbackConfirmation = true })
	who := alice()
	who.Cancel = true // no confirmation
	if got, err := b.visit(who, b.request()); err != nil || got.Get("code") == "" {
		t.Errorf("callback got %v, %v", got, err)
	}
}

func TestOrganization(t *testing.T) {
	b := newBench(t)
	for _, organization := range []string{"", "acme"} {
		r := b.tokens("client_id", "teams", "organization", organization)
		access, id := b.claims(r.text("access_token")), b.claims(r.text("id_token"))
		if org, _ := access["org_id"].(string); !strings.HasPrefix(org, "org_") || id["org_id"] != org {
			t.Errorf("organization %q: %v, %v", organization, access["org_id"], id["org_id"])
		}
	}
	if _, err := b.AddUser(auth0.User{Email: "carol@example.test", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	got, err := b.visit(&browse.Browser{Person: browse.Person{User: "carol"}}, b.request("client_id", "teams"))
	if err != nil || got.Get("error") != "invalid_request" {
		t.Errorf("without any: %v, %v", got, err)
	}
}

// TestForeignForms checks that a form works only in the browser that it was shown in.
func TestForeignForms(t *testing.T) {
	b := newBench(t)
	stop := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := stop.Get(b.url + "/authorize?" + b.request().Encode())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	login := resp.Header.Get("Location")
	resp, err = stop.Get(b.url + login)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	at, err := url.Parse(login)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"state": {at.Query().Get("state")}, "account": {"alice@example.test"}}
	resp, err = stop.PostForm(b.url+"/u/login", form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("another browser's form: %d", resp.StatusCode)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
	if err := browse.Visit(context.Background(), browse.Person{}, b.url+"/u/login?state=x", nil); err == nil {
		t.Error("a sign-in that doesn't exist was shown")
	}
}
