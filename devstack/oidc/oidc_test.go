package oidc_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/jose"
	"github.com/zen-auth/zen/devstack/jose/josetest"
	"github.com/zen-auth/zen/devstack/oidc"
)

// One key for all tests: making it takes longer than a test.
var testKey = sync.OnceValue(func() jose.Key {
	key, err := jose.NewKey("k")
	if err != nil {
		panic(err)
	}
	return key
})

const verifier = "a-verifier-of-at-least-forty-three-characters"

// bench is an issuer, and a waiting terminal on another port.
type bench struct {
	*oidc.Issuer
	t        *testing.T
	url      string
	callback string
	fault    atomic.Value
	offset   atomic.Int64 // of the clock
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	terminal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<title>You can close this page</title>")
	}))
	t.Cleanup(terminal.Close)
	b.callback = terminal.URL + "/callback"
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	b.url = base + oidc.Path
	var err error
	b.Issuer, err = oidc.New(oidc.Options{
		BaseURL: base, Key: testKey().Private, Now: b.now, Fault: func(name string) bool { return b.fault.Load() == name },
		Clients: []oidc.Client{
			{ID: "native", Name: "zen", RedirectURIs: []string{"http://127.0.0.1/callback"}, LogoutURIs: []string{b.callback}},
			{ID: "desktop", Name: "zen", Secret: "s3cret", RedirectURIs: []string{"http://[::1]/callback", "http://127.0.0.1/callback"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = b.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return b
}

func (b *bench) now() time.Time { return time.Now().Add(time.Duration(b.offset.Load())) }

func (b *bench) advance(d time.Duration) { b.offset.Add(int64(d)) }

// reply is an answer of the API.
type reply struct {
	status int
	body   map[string]any
	err    error
}

func (r reply) text(name string) string { s, _ := r.body[name].(string); return s }

func (b *bench) post(path string, form url.Values) reply {
	b.t.Helper()
	stop := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := stop.PostForm(b.url+path, form)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = json.Unmarshal(raw, &r.body) // a page has none
	return r
}

func (b *bench) want(r reply, status int, code string) {
	b.t.Helper()
	if r.err != nil || r.status != status || r.text("error") != code {
		b.t.Errorf("got %d %v, %v; want %d %q", r.status, r.body, r.err, status, code)
	}
}

// with changes some values; an empty one is left out.
func with(values url.Values, change ...string) url.Values {
	for i := 0; i+1 < len(change); i += 2 {
		values.Set(change[i], change[i+1])
		if change[i+1] == "" {
			values.Del(change[i])
		}
	}
	return values
}

func (b *bench) request(change ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return with(url.Values{
		"response_type": {"code"}, "client_id": {"native"}, "redirect_uri": {b.callback}, "state": {"state-1"}, "nonce": {"n-1"},
		"scope":          {"openid profile email groups offline_access other"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}, change...)
}

func alice() *browse.Browser { return &browse.Browser{Person: browse.Person{User: "alice"}} }

// visit makes a person sign in; it returns what the terminal's callback got.
func (b *bench) visit(who *browse.Browser, change ...string) (url.Values, error) {
	at, err := who.Visit(b.t.Context(), b.url+"/authorize?"+b.request(change...).Encode())
	if err != nil {
		return nil, err
	}
	return at.Query(), nil
}

func (b *bench) tokens(change ...string) reply {
	b.t.Helper()
	got, err := b.visit(alice(), change...)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.exchange(got.Get("code"))
}

func (b *bench) exchange(code string, change ...string) reply {
	return b.post("/token", with(url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"native"}, "code": {code}, "redirect_uri": {b.callback}, "code_verifier": {verifier},
	}, change...))
}

func (b *bench) refresh(token string, change ...string) reply {
	return b.post("/token", with(url.Values{"grant_type": {"refresh_token"}, "client_id": {"native"}, "refresh_token": {token}}, change...))
}

func (b *bench) device() reply {
	return b.post("/device_authorization", url.Values{"client_id": {"native"}, "scope": {"openid email offline_access"}})
}

func (b *bench) poll(device reply) reply {
	return b.post("/token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {"native"}, "device_code": {device.text("device_code")},
	})
}

func (b *bench) verify(token string) (jwt.MapClaims, error) {
	return josetest.Verify(token, b.url, "native", jwt.WithTimeFunc(b.now))
}

func TestCode(t *testing.T) {
	b := newBench(t)
	got, err := b.visit(alice())
	if err != nil || got.Get("state") != "state-1" || got.Get("iss") != b.url {
		t.Fatalf("callback got %v, %v", got, err)
	}
	r := b.exchange(got.Get("code"))
	b.want(r, 200, "")
	b.want(b.exchange(got.Get("code")), 400, "invalid_grant")
	claims, err := b.verify(r.text("id_token"))
	if err != nil || claims["nonce"] != "n-1" || claims["email"] != "alice@example.test" || claims["email_verified"] != true ||
		claims["name"] != "Alice Archer" || len(claims["groups"].([]any)) != 2 || claims["auth_time"] == nil || claims["at_hash"] == nil {
		t.Errorf("claims %v, %v", claims, err)
	}
	if r.text("scope") != "openid profile email groups offline_access" || strings.Contains(r.text("access_token"), ".") {
		t.Errorf("answer %v", r.body)
	}
	// The refresh token stays the same, and its tokens have no nonce.
	for range 2 {
		again := b.refresh(r.text("refresh_token"))
		b.want(again, 200, "")
		claims, err := b.verify(again.text("id_token"))
		if err != nil || again.text("refresh_token") != "" || claims["nonce"] != nil {
			t.Errorf("refreshed: %v, %v", claims, err)
		}
	}
	b.want(b.refresh(r.text("refresh_token"), "scope", "openid"), 200, "")
	b.want(b.post("/revoke", url.Values{"client_id": {"native"}, "token": {r.text("refresh_token")}}), 200, "")
	b.want(b.refresh(r.text("refresh_token")), 400, "invalid_grant")
	b.want(b.post("/revoke", url.Values{"client_id": {"native"}, "token": {"unknown"}}), 200, "")
	desktop, err := b.visit(alice(), "client_id", "desktop", "code_challenge", "", "code_challenge_method", "")
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.exchange(desktop.Get("code"), "client_id", "desktop", "client_secret", "wrong"), 401, "invalid_client")
	b.want(b.exchange(desktop.Get("code"), "client_id", "desktop", "client_secret", "s3cret"), 200, "")
}

func TestCodeRefused(t *testing.T) {
	b := newBench(t)
	for name, tt := range map[string]struct {
		change []string
		want   string // "": a page
	}{
		"the implicit flow":           {[]string{"response_type", "token"}, "unsupported_response_type"},
		"no challenge":                {[]string{"code_challenge", ""}, "invalid_request"},
		"a plain challenge":           {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"a silent sign-in":            {[]string{"prompt", "none"}, "login_required"},
		"another path":                {[]string{"redirect_uri", b.callback + "/x"}, ""},
		"localhost":                   {[]string{"redirect_uri", "http://localhost:1/callback"}, ""},
		"another host":                {[]string{"redirect_uri", "http://127.0.0.1.evil.test/callback"}, ""},
		"a user name in the redirect": {[]string{"redirect_uri", "http://x@127.0.0.1:1/callback"}, ""},
		"unknown client":              {[]string{"client_id", "nobody"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := b.visit(alice(), tt.change...)
			if got.Get("error") != tt.want || (tt.want == "") != (err != nil) {
				t.Errorf("visit = %v, %v", got, err)
			}
		})
	}
	got, err := b.visit(&browse.Browser{Person: browse.Person{User: "alice"}, Cancel: true})
	if err != nil || got.Get("error") != "access_denied" {
		t.Errorf("cancelled: %v, %v", got, err)
	}
	if _, err := b.visit(&browse.Browser{Person: browse.Person{User: "alice@example.test", Password: "wrong"}}); err == nil || !strings.Contains(err.Error(), "Wrong email") {
		t.Errorf("wrong password: %v", err)
	}
	code := func() string {
		got, err := b.visit(alice())
		if err != nil {
			t.Fatal(err)
		}
		return got.Get("code")
	}
	b.want(b.exchange(code(), "code_verifier", "another"), 400, "invalid_grant")
	b.want(b.exchange(code(), "redirect_uri", "http://127.0.0.1:1/callback"), 400, "invalid_grant")
	b.want(b.exchange(code(), "client_id", "nobody"), 401, "invalid_client")
	b.want(b.exchange(code(), "grant_type", "password"), 400, "unsupported_grant_type")
	late := code()
	b.advance(2 * time.Minute)
	b.want(b.exchange(late), 400, "invalid_grant")
}

// TestDevice checks RFC 8628's statuses and the growing interval.
func TestDevice(t *testing.T) {
	b := newBench(t)
	d := b.device()
	b.want(d, 200, "")
	b.want(b.poll(d), 400, "authorization_pending")
	b.want(b.poll(d), 400, "slow_down")
	b.advance(6 * time.Second)
	b.want(b.poll(d), 400, "slow_down") // 10 s by now
	b.advance(16 * time.Second)
	b.want(b.poll(d), 400, "authorization_pending")
	who := alice()
	who.UserCode = strings.ToLower(strings.ReplaceAll(d.text("user_code"), "-", " "))
	if _, err := who.Visit(t.Context(), d.text("verification_uri")); err != nil {
		t.Fatal(err)
	}
	r := b.poll(d)
	b.want(r, 200, "")
	if claims, err := b.verify(r.text("id_token")); err != nil || claims["email"] != "alice@example.test" {
		t.Errorf("claims %v, %v", claims, err)
	}
	b.want(b.poll(d), 400, "invalid_grant")

	d = b.device()
	who = alice()
	who.Cancel = true
	if _, err := who.Visit(t.Context(), d.text("verification_uri_complete")); err != nil {
		t.Fatal(err)
	}
	b.want(b.poll(d), 400, "access_denied")
	d = b.device()
	b.advance(11 * time.Minute)
	b.want(b.poll(d), 400, "expired_token")
}

func TestUserinfoAndLogout(t *testing.T) {
	b := newBench(t)
	r := b.tokens()
	get := func(path, token string) int {
		req, err := http.NewRequest("GET", b.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if status := get("/userinfo", r.text("access_token")); status != 200 {
		t.Errorf("userinfo: %d", status)
	}
	if status := get("/userinfo", r.text("id_token")); status != 401 {
		t.Errorf("userinfo with an id_token: %d", status)
	}
	for _, query := range []string{"", "?id_token_hint=x", "?id_token_hint=" + r.text("id_token") + "&post_logout_redirect_uri=https://evil.test"} {
		if status := get("/logout"+query, ""); status != 400 {
			t.Errorf("logout%s: %d", query, status)
		}
	}
	b.want(b.refresh(r.text("refresh_token")), 200, "")
	if status := get("/logout?id_token_hint="+r.text("id_token")+"&post_logout_redirect_uri="+url.QueryEscape(b.callback), ""); status != 200 {
		t.Errorf("logout: %d", status)
	}
	b.want(b.refresh(r.text("refresh_token")), 400, "invalid_grant")
}

// TestRestore checks that sign-ins survive a restart.
func TestRestore(t *testing.T) {
	old := newBench(t)
	r := old.tokens()
	var saved bytes.Buffer
	if err := old.Save(&saved); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	if err := b.Restore(strings.NewReader(`{"Version":0}`)); err == nil {
		t.Error("a state with another version was accepted")
	}
	if err := b.Restore(&saved); err != nil {
		t.Fatal(err)
	}
	again := b.refresh(r.text("refresh_token"))
	b.want(again, 200, "")
	if _, err := b.verify(again.text("id_token")); err != nil {
		t.Error(err)
	}
	b.advance(oidc.DefaultRefreshLifetime + time.Minute)
	b.want(b.refresh(r.text("refresh_token")), 400, "invalid_grant")
}

// TestFaults checks the effect of each fault on a client.
func TestFaults(t *testing.T) {
	b := newBench(t)
	signedIn := b.tokens()
	get := func(path string) (status int, body string) {
		resp, err := http.Get(b.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(raw)
	}
	discovery := func() (document map[string]any) {
		if err := josetest.Get(b.url+"/.well-known/openid-configuration", &document); err != nil {
			t.Fatal(err)
		}
		return document
	}
	bad := func(t *testing.T) {
		if claims, err := b.verify(b.tokens().text("id_token")); err == nil {
			t.Errorf("verified: %v", claims)
		}
	}
	checks := map[string]func(*testing.T){
		oidc.FaultUnavailable: func(t *testing.T) {
			if status, _ := get("/.well-known/openid-configuration"); status != 503 {
				t.Errorf("get = %d", status)
			}
		},
		oidc.FaultIssuerMismatch: func(t *testing.T) {
			if got := discovery()["issuer"]; got != b.url+"/" {
				t.Errorf("issuer %v", got)
			}
		},
		oidc.FaultJWKSUnavailable: bad, oidc.FaultKeyUnpublished: bad, oidc.FaultWrongAudience: bad, oidc.FaultExpired: bad,
		oidc.FaultDeviceOff: func(t *testing.T) {
			b.want(b.device(), 400, "unauthorized_client")
			if discovery()["device_authorization_endpoint"] != nil {
				t.Error("the metadata name it")
			}
		},
		oidc.FaultNoRefreshToken: func(t *testing.T) {
			if b.tokens().text("refresh_token") != "" {
				t.Error("a refresh token")
			}
		},
		oidc.FaultRefreshRevoked: func(*testing.T) { b.want(b.refresh(signedIn.text("refresh_token")), 400, "invalid_grant") },
		oidc.FaultWrongNonce: func(t *testing.T) {
			if claims, err := b.verify(b.tokens().text("id_token")); err != nil || claims["nonce"] == "n-1" {
				t.Errorf("verify = %v %v", claims, err)
			}
		},
		oidc.FaultUnverifiedEmail: func(t *testing.T) {
			if claims, err := b.verify(b.tokens().text("id_token")); err != nil || claims["email_verified"] != false {
				t.Errorf("verify = %v %v", claims, err)
			}
		},
		oidc.FaultRedirect: func(*testing.T) { b.want(b.refresh("x"), 307, "") },
		oidc.FaultHuge: func(t *testing.T) {
			if _, body := get("/keys"); len(body) < 16<<20 {
				t.Errorf("%d bytes", len(body))
			}
		},
		oidc.FaultSlowDown: func(*testing.T) { b.want(b.poll(b.device()), 400, "slow_down") },
	}
	for _, f := range oidc.Faults() {
		t.Run(f.Name, func(t *testing.T) {
			if checks[f.Name] == nil || f.Summary == "" {
				t.Fatal("no check covers this fault")
			}
			b.fault.Store(f.Name)
			defer b.fault.Store("")
			checks[f.Name](t)
		})
	}
}

// FuzzToken checks that no form crashes an endpoint or gets tokens without a sign-in.
func FuzzToken(f *testing.F) {
	for _, form := range []string{
		"grant_type=authorization_code&client_id=zen&code=x", "grant_type=refresh_token&client_id=zen&refresh_token=", "client_id=zen&scope=%20", "%zz", "tx=&user_code=x",
	} {
		f.Add(form)
	}
	issuer, err := oidc.New(oidc.Options{BaseURL: "http://127.0.0.1:1", Key: testKey().Private})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, form string) {
		for _, path := range []string{"/token", "/device_authorization", "/revoke", "/authorize", "/device", "/ui/login", "/ui/consent", "/logout"} {
			req := httptest.NewRequest(http.MethodPost, oidc.Path+path, strings.NewReader(form))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			issuer.Handler().ServeHTTP(w, req)
			if w.Code >= 500 || strings.Contains(w.Body.String(), "access_token") {
				t.Errorf("%s: answer %d %s", path, w.Code, w.Body)
			}
		}
	})
}
