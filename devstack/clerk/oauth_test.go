package clerk

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/browse"
)

const verifier = "a-verifier-of-at-least-forty-three-characters"

// oauthBench is an instance on a real port, with a waiting terminal on another.
type oauthBench struct {
	*bench
	url      string
	callback string
}

func newOAuthBench(t *testing.T, change ...func(*Options)) *oauthBench {
	t.Helper()
	terminal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<title>You can close this page</title>")
	}))
	t.Cleanup(terminal.Close)
	server := httptest.NewUnstartedServer(nil)
	o := &oauthBench{url: "http://" + server.Listener.Addr().String(), callback: terminal.URL + "/callback"}
	o.bench = newBench(t, append([]func(*Options){func(opts *Options) {
		opts.BaseURL, opts.DeviceGrant = o.url, true
		opts.OAuthApplications = []OAuthApplication{
			{ClientID: "native", Name: "zen", RedirectURIs: []string{"http://127.0.0.1/callback"}, DeviceGrant: true},
			{ClientID: "opaque", RedirectURIs: []string{o.callback}, OpaqueTokens: true, NoConsent: true},
			{ClientID: "web", Secret: "s3cret", RedirectURIs: []string{o.callback}, Scopes: []string{"email"}},
		}
	}}, change...)...)
	server.Config.Handler = o.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return o
}

func (o *oauthBench) request(change ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {"native"}, "redirect_uri": {o.callback}, "state": {"state-123"},
		"scope": {"openid profile email offline_access user:org:read"}, "nonce": {"n-1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		q.Set(change[i], change[i+1])
		if change[i+1] == "" {
			q.Del(change[i])
		}
	}
	return q
}

func (o *oauthBench) visit(who *browse.Browser, change ...string) (url.Values, error) {
	at, err := who.Visit(context.Background(), o.url+"/oauth/authorize?"+o.request(change...).Encode())
	if err != nil {
		return nil, err
	}
	return at.Query(), nil
}

func person(name string) *browse.Browser { return &browse.Browser{Person: browse.Person{User: name}} }

// post sends a form to an OAuth endpoint.
func (o *oauthBench) post(path string, form ...string) reply {
	o.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	resp, err := http.PostForm(o.url+path, values)
	if err != nil {
		return reply{raw: err.Error()}
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, header: resp.Header}
	if err := json.NewDecoder(resp.Body).Decode(&r.body); err != nil && err != io.EOF {
		o.t.Fatal(err)
	}
	return r
}

func (o *oauthBench) wantOAuth(r reply, status int, code string) {
	o.t.Helper()
	if got, _ := r.body["error"].(string); r.status != status || got != code {
		o.t.Errorf("got %d %v %s, want %d %q", r.status, r.body, r.raw, status, code)
	}
}

// tokens signs a person in and returns the tokens.
func (o *oauthBench) tokens(change ...string) reply {
	o.t.Helper()
	got, err := o.visit(person("alice"), change...)
	if err != nil || got.Get("state") != "state-123" {
		o.t.Fatalf("callback got %v, %v", got, err)
	}
	r := o.post("/oauth/token", "grant_type", "authorization_code", "client_id", o.request(change...).Get("client_id"), "code", got.Get("code"),
		"redirect_uri", o.callback, "code_verifier", verifier)
	o.wantOAuth(r, 200, "")
	return r
}

func (o *oauthBench) refresh(token string) reply {
	o.t.Helper()
	return o.post("/oauth/token", "grant_type", "refresh_token", "client_id", "native", "refresh_token", token)
}

func TestOAuthCodeFlow(t *testing.T) {
	o := newOAuthBench(t)
	r := o.tokens()
	if r.body["expires_in"] != 86400.0 || r.body["token_type"] != "Bearer" {
		t.Errorf("answer %v", r.body)
	}
	access := o.parse(r.body["access_token"].(string))
	claims := access.Claims.(jwt.MapClaims)
	if access.Header["typ"] != "at+jwt" || claims["client_id"] != "native" || claims["sub"] != o.alice || claims["iss"] != o.url ||
		!strings.HasPrefix(claims["jti"].(string), "oat_") || !strings.HasPrefix(claims["org_id"].(string), "org_") {
		t.Errorf("access token %v %v", access.Header, claims)
	}
	if _, ok := access.Header["cat"]; ok {
		t.Error("an OAuth token has the category of a session token")
	}
	id := o.parse(r.body["id_token"].(string)).Claims.(jwt.MapClaims)
	if id["aud"] != "native" || id["nonce"] != "n-1" || id["email"] != "alice@example.test" || id["org_id"] != claims["org_id"] {
		t.Errorf("id_token %v", id)
	}
	next := o.refresh(r.body["refresh_token"].(string))
	o.wantOAuth(next, 200, "")
	o.wantOAuth(o.refresh(r.body["refresh_token"].(string)), 400, "invalid_grant")
	// Unlike at Auth0, the new token stays valid.
	o.wantOAuth(o.refresh(next.body["refresh_token"].(string)), 200, "")
}

func TestOAuthRedirectURIs(t *testing.T) {
	application := &OAuthApplication{RedirectURIs: []string{"http://127.0.0.1/callback", "http://127.0.0.1:5/fixed", "https://app.test/cb"}}
	for address, want := range map[string]bool{
		"http://127.0.0.1:1234/callback": true, "http://127.0.0.1/callback": true, "https://app.test/cb": true, "http://127.0.0.1:5/fixed": true,
		"http://127.0.0.1:6/fixed": false, "http://127.0.0.1:1234/other": false, "http://localhost:1234/callback": false, "http://[::1]:1234/callback": false,
		"https://127.0.0.1:1234/callback": false, "http://127.0.0.1:1/callback?x=1": false, "http://u@127.0.0.1:1/callback": false,
		"http://127.0.0.1:1/callback#x": false, "http://127.0.0.1.evil.test/callback": false, "https://app.test:1/cb": false, "": false,
	} {
		if got := application.allows(address); got != want {
			t.Errorf("%q: allows = %v", address, got)
		}
	}
}

func TestOAuthRefuses(t *testing.T) {
	o := newOAuthBench(t)
	for name, tt := range map[string]struct {
		change []string
		code   string
	}{
		"implicit":          {[]string{"response_type", "token"}, "unsupported_response_type"},
		"short state":       {[]string{"state", "short"}, "invalid_state"},
		"no challenge":      {[]string{"code_challenge", ""}, "invalid_request"},
		"plain challenge":   {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"not a challenge":   {[]string{"code_challenge", "x"}, "invalid_request"},
		"unknown scope":     {[]string{"scope", "openid turso"}, "invalid_scope"},
		"silent":            {[]string{"prompt", "none"}, "login_required"},
		"no state, no PKCE": {[]string{"client_id", "web", "state", "", "code_challenge", ""}, "invalid_state"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := o.visit(person("alice"), tt.change...)
			if err != nil || got.Get("error") != tt.code || got.Get("error_description") == "" {
				t.Errorf("callback got %v, %v", got, err)
			}
		})
	}
	if got, err := o.visit(&browse.Browser{Person: browse.Person{User: "alice"}, Cancel: true}); err != nil || got.Get("error") != "access_denied" {
		t.Errorf("cancel: %v, %v", got, err)
	}
	get := func(change ...string) reply {
		return o.do(httptest.NewRequest("GET", "/oauth/authorize?"+o.request(change...).Encode(), nil))
	}
	o.want(get("redirect_uri", "http://evil.test/callback"), 400, "redirect_uri_mismatch")
	o.want(get("client_id", "nobody"), 401, "oauth_application_not_found")
	if _, err := o.visit(&browse.Browser{Person: browse.Person{User: "alice@example.test", Password: "wrong"}}); err == nil ||
		!strings.Contains(err.Error(), "Password is incorrect") {
		t.Errorf("wrong password: %v", err)
	}
	code := func() string {
		got, err := o.visit(person("alice"))
		if err != nil {
			t.Fatal(err)
		}
		return got.Get("code")
	}
	exchange := func(change ...string) reply {
		form := []string{"grant_type", "authorization_code", "client_id", "native", "code", code(), "redirect_uri", o.callback, "code_verifier", verifier}
		return o.post("/oauth/token", append(form, change...)...)
	}
	o.wantOAuth(exchange("code_verifier", "wrong"), 400, "invalid_grant")
	o.wantOAuth(exchange("redirect_uri", "http://127.0.0.1:1/callback"), 400, "invalid_grant")
	o.wantOAuth(exchange("code", "x"), 400, "invalid_grant")
	o.wantOAuth(exchange("client_id", "opaque"), 400, "invalid_grant")
	o.wantOAuth(exchange("client_id", "nobody"), 401, "invalid_client")
	o.wantOAuth(exchange("client_id", "web", "client_secret", "wrong"), 401, "invalid_client")
	o.wantOAuth(exchange("grant_type", "password"), 401, "unsupported_grant_type")
	late := code()
	o.clock = o.clock.Add(oauthCodeLifetime)
	o.wantOAuth(exchange("code", late), 400, "invalid_grant")
}

func TestOAuthTokenInfo(t *testing.T) {
	o := newOAuthBench(t)
	userinfo := func(token string) reply {
		req := httptest.NewRequest("GET", "/oauth/userinfo", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		return o.do(req)
	}
	verify := func(token string) reply {
		return o.server("POST", "/oauth_applications/access_tokens/verify", `{"access_token":"`+token+`"}`)
	}
	for _, client := range []string{"native", "opaque"} {
		r := o.tokens("client_id", client)
		access, refresh := r.body["access_token"].(string), r.body["refresh_token"].(string)
		for _, token := range []string{access, refresh} {
			info := o.post("/oauth/token_info", "client_id", client, "token", token)
			if info.body["active"] != true || info.body["sub"] != o.alice || info.body["client_id"] != client {
				t.Errorf("%s: token_info %v", client, info.body)
			}
		}
		if info := userinfo(access); info.status != 200 || info.body["sub"] != o.alice || info.body["object"] != "oauth_user_info" || info.body["org_slug"] != "acme" {
			t.Errorf("%s: userinfo %d %v", client, info.status, info.body)
		}
		if v := verify(access); v.status != 200 || v.body["subject"] != o.alice || v.body["revoked"] != false {
			t.Errorf("%s: verify %d %v", client, v.status, v.body)
		}
		revoked := o.post("/oauth/token/revoke", "client_id", client, "token", access)
		if client == "native" {
			o.wantOAuth(revoked, 400, "unsupported_token_type")
		} else {
			o.wantOAuth(revoked, 200, "")
			o.want(userinfo(access), 401, "authentication_invalid")
			if v := verify(access); v.body["revoked"] != true {
				t.Errorf("verify after revoke: %v", v.body)
			}
		}
		o.wantOAuth(o.post("/oauth/token/revoke", "client_id", client, "token", refresh), 200, "")
		if info := o.post("/oauth/token_info", "client_id", client, "token", refresh); info.body["active"] != false {
			t.Errorf("%s: after revoke: %v", client, info.body)
		}
	}
	o.want(userinfo("x"), 401, "authentication_invalid")
	o.want(verify("oat_x"), 404, "resource_not_found")
	access := o.tokens().body["access_token"].(string)
	o.clock = o.clock.Add(oauthAccessLifetime)
	if v := verify(access); v.status != 200 || v.body["active"] != false {
		t.Errorf("an expired JWT: %d %v", v.status, v.body)
	}
}

// An administrator revokes a sign-in by either of its tokens, and another sign-in stays
// valid.
func TestOAuthRevokedByTheBackend(t *testing.T) {
	o := newOAuthBench(t)
	id := func(client string) string {
		return o.server("GET", "/oauth_applications?name_query="+client, "").at("data.0.id").(string)
	}
	revoke := func(application, token string) reply {
		return o.server("POST", "/oauth_applications/"+application+"/revoke_token", `{"token":"`+token+`"}`)
	}
	renew := func(client, token string) reply {
		return o.post("/oauth/token", "client_id", client, "grant_type", "refresh_token", "refresh_token", token)
	}
	for _, client := range []string{"native", "opaque"} {
		other := o.tokens("client_id", client).body["refresh_token"].(string)
		first := o.tokens("client_id", client).body["refresh_token"].(string)
		r := renew(client, first)
		access, refresh := r.body["access_token"].(string), r.body["refresh_token"].(string)
		o.want(revoke(id(map[string]string{"native": "opaque", "opaque": "native"}[client]), refresh), 404, "resource_not_found")
		if client == "native" {
			o.want(revoke(id(client), access), 422, "form_param_value_invalid")
			o.want(revoke(id(client), refresh), 204, "")
		} else {
			o.want(revoke(id(client), access), 204, "")
			if v := o.server("POST", "/oauth_applications/access_tokens/verify", `{"access_token":"`+access+`"}`); v.body["revoked"] != true {
				t.Errorf("the access token: %v", v.body)
			}
		}
		o.wantOAuth(renew(client, refresh), 400, "invalid_grant")
		o.wantOAuth(renew(client, other), 200, "")
	}
	o.want(revoke(id("native"), ""), 422, "form_param_missing")
	o.want(revoke(id("native"), "x"), 404, "resource_not_found")
}

func TestOAuthMetadata(t *testing.T) {
	o := newOAuthBench(t)
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		r := o.do(httptest.NewRequest("GET", path, nil))
		if r.body["issuer"] != o.url || r.body["device_authorization_endpoint"] != o.url+"/oauth/device_authorization" ||
			!slices.Contains(r.body["grant_types_supported"].([]any), any(grantDevice)) {
			t.Errorf("%s: do = %v", path, r.body)
		}
	}
	b := newBench(t)
	if r := b.do(httptest.NewRequest("GET", "/.well-known/openid-configuration", nil)); r.body["device_authorization_endpoint"] != nil {
		t.Error("the device grant is announced though it is off")
	}
}

func TestOAuthDevice(t *testing.T) {
	o := newOAuthBench(t)
	begin := func() reply {
		r := o.post("/oauth/device_authorization", "client_id", "native", "scope", "openid offline_access")
		o.wantOAuth(r, 200, "")
		return r
	}
	poll := func(d reply) reply {
		return o.post("/oauth/token", "grant_type", grantDevice, "client_id", "native", "device_code", d.body["device_code"].(string))
	}
	d := begin()
	o.wantOAuth(poll(d), 400, "authorization_pending")
	o.wantOAuth(poll(d), 400, "slow_down")
	if err := browse.Visit(context.Background(), browse.Person{User: "alice"}, d.body["verification_uri_complete"].(string), nil); err != nil {
		t.Fatal(err)
	}
	r := poll(d)
	o.wantOAuth(r, 200, "")
	if r.body["refresh_token"] == nil || r.body["id_token"] == nil {
		t.Errorf("answer %v", r.body)
	}
	o.wantOAuth(poll(d), 400, "invalid_grant")

	d = begin()
	who := &browse.Browser{Person: browse.Person{User: "alice"}, UserCode: strings.ToLower(d.body["user_code"].(string)), Cancel: true}
	if _, err := who.Visit(context.Background(), d.body["verification_uri"].(string)); err != nil {
		t.Fatal(err)
	}
	o.wantOAuth(poll(d), 400, "access_denied")
	d = begin()
	o.clock = o.clock.Add(15 * time.Minute)
	o.wantOAuth(poll(d), 400, "expired_token")
	o.wantOAuth(o.post("/oauth/device_authorization", "client_id", "opaque"), 400, "unauthorized_client")
}

// TestOAuthOrganization checks that a member of several organizations is asked to choose
// one.
func TestOAuthOrganization(t *testing.T) {
	o := newOAuthBench(t)
	if _, err := o.AddUser(User{Email: "carol@example.test", Password: "p", Memberships: []Membership{
		{Organization: "acme", Role: "org:member"}, {Organization: "globex", Role: "org:admin"},
	}}); err != nil {
		t.Fatal(err)
	}
	who := person("carol")
	who.Organization = "globex"
	got, err := o.visit(who)
	if err != nil {
		t.Fatal(err)
	}
	r := o.post("/oauth/token", "grant_type", "authorization_code", "client_id", "native", "code", got.Get("code"), "redirect_uri", o.callback, "code_verifier", verifier)
	if claims := o.parse(r.body["id_token"].(string)).Claims.(jwt.MapClaims); claims["org_slug"] != "globex" {
		t.Errorf("id_token %v", claims)
	}
}
