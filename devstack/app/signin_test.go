package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/app"
)

func TestSignInPage(t *testing.T) {
	s := newStack(t)
	for name, tt := range map[string]struct {
		form    url.Values
		status  int
		problem string
	}{
		"password":        {url.Values{"email": {"bob@example.test"}, "password": {"bob-dev-password"}, "step": {"password"}}, 303, ""},
		"account":         {url.Values{"account": {"bob@example.test"}}, 303, ""},
		"wrong password":  {url.Values{"email": {"bob@example.test"}, "password": {"x"}}, 422, "Password is incorrect"},
		"unknown person":  {url.Values{"email": {"<script>@x.test"}, "password": {"x"}}, 422, "find your account"},
		"unknown account": {url.Values{"account": {"mallory@example.test"}}, 422, "no such development account"},
		"code unasked":    {url.Values{"step": {"check-code"}, "code": {"123456"}}, 422, "Ask for a new code"},
	} {
		t.Run(name, func(t *testing.T) {
			b := s.tab(t)
			tt.form.Set("csrf_token", b.get(s.URL+app.SignInPath).hidden("csrf_token"))
			r := b.post(app.SignInPath, tt.form)
			if r.StatusCode != tt.status || !strings.Contains(r.text, tt.problem) || strings.Contains(r.text, "<script>") {
				t.Errorf("post = %d %s", r.StatusCode, r.text)
			}
			if r.StatusCode == http.StatusSeeOther {
				if home := b.get(s.URL + "/app/"); !strings.Contains(home.text, "bob@example.test") {
					t.Errorf("home: %s", home.text)
				}
			}
		})
	}
}

func TestSignInByCode(t *testing.T) {
	s := newStack(t)
	b := s.tab(t)
	csrf := b.get(s.URL + app.SignInPath + "?return_to=/app/?x=1").hidden("csrf_token")
	page := b.post(app.SignInPath, url.Values{"csrf_token": {csrf}, "email": {"alice@example.test"}, "step": {"send-code"}})
	if page.StatusCode != 200 || !strings.Contains(page.text, `name="code"`) {
		t.Fatalf("post = %d %s", page.StatusCode, page.text)
	}
	code := <-s.codes
	if r := b.post(app.SignInPath, url.Values{"csrf_token": {csrf}, "step": {"check-code"}, "code": {"x" + code}}); r.StatusCode != 422 || !strings.Contains(r.text, "Incorrect code") {
		t.Errorf("wrong code: %d %s", r.StatusCode, r.text)
	}
	r := b.post(app.SignInPath, url.Values{"csrf_token": {csrf}, "step": {"check-code"}, "code": {" " + code}, "return_to": {"/app/?x=1"}})
	if r.StatusCode != 303 || r.Header.Get("Location") != "/app/?x=1" {
		t.Errorf("post = %d %s", r.StatusCode, r.Header.Get("Location"))
	}
}

// TestSessionFixation checks that a cookie from before a sign-in is useless afterwards,
// whether or not a person was signed in then.
func TestSessionFixation(t *testing.T) {
	s := newStack(t)
	b := s.tab(t)
	page := b.get(s.URL + app.SignInPath)
	cookies := page.Cookies()
	for _, email := range []string{"alice@example.test", "bob@example.test"} {
		r := b.post(app.SignInPath, url.Values{"csrf_token": {page.hidden("csrf_token")}, "account": {email}})
		if r.StatusCode != http.StatusSeeOther {
			t.Fatalf("sign in: %d", r.StatusCode)
		}
		cookies = append(cookies, r.Cookies()...)
		page = b.get(s.URL + "/app/")
	}
	for i, cookie := range cookies {
		req, err := http.NewRequest(http.MethodGet, s.URL+"/app/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(cookie)
		want := http.StatusSeeOther
		if i == len(cookies)-1 {
			want = http.StatusOK
		}
		if r := s.tab(t).do(req); r.StatusCode != want {
			t.Errorf("cookie %d of %d shows %d", i+1, len(cookies), r.StatusCode)
		}
	}
}

func TestSignInNeedsToken(t *testing.T) {
	s := newStack(t)
	b := s.tab(t)
	b.get(s.URL + app.SignInPath)
	for _, token := range []string{"", "made-up"} {
		if r := b.post(app.SignInPath, url.Values{"csrf_token": {token}, "account": {"alice@example.test"}}); r.StatusCode != http.StatusForbidden {
			t.Errorf("token %q: %d", token, r.StatusCode)
		}
	}
	if r := b.post("/app/sign-out", nil); r.StatusCode != http.StatusForbidden {
		t.Errorf("sign out without a token: %d", r.StatusCode)
	}
}

func TestSignOut(t *testing.T) {
	s, term := newStack(t), newTerminal(t)
	b := s.tab(t)
	b.signIn()
	page := b.get(s.bridge(term))
	r := b.post("/app/sign-out", url.Values{"csrf_token": {page.hidden("csrf_token")}, "return_to": {strings.TrimPrefix(s.bridge(term), s.URL)}})
	to, err := r.Location()
	if err != nil || to.Path != app.SignInPath || !strings.HasPrefix(to.Query().Get("return_to"), app.BridgePath+"?") {
		t.Errorf("sign out leads to %v, %v", to, err)
	}
	if ids := s.clerk.SessionIDs(s.clerk.UserID("alice@example.test")); len(ids) != 0 {
		t.Errorf("the Clerk session is still active: %v", ids)
	}
	if r := b.get(s.URL + "/app/"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("home after sign out: %d", r.StatusCode)
	}
}

func TestReturnStaysInTheApp(t *testing.T) {
	s := newStack(t)
	for _, to := range []string{
		"http://evil.example/app/", "//evil.example/app/", `/\evil.example/app/`, `\/evil.example`, "/other", "app/cli", "/app/../other",
		"/app/%2e%2e/other", "javascript:alert(1)", "/app/\r\nX: y", "%zz", "",
	} {
		b := s.tab(t)
		page := b.get(s.URL + app.SignInPath)
		r := b.post(app.SignInPath, url.Values{"csrf_token": {page.hidden("csrf_token")}, "account": {"alice@example.test"}, "return_to": {to}})
		if got := r.Header.Get("Location"); got != "/app/" {
			t.Errorf("return_to %q leads to %q", to, got)
		}
		if r := b.get(s.URL + app.SignInPath + "?" + url.Values{"return_to": {to}}.Encode()); r.Header.Get("Location") != "/app/" {
			t.Errorf("return_to %q of someone signed in leads to %q", to, r.Header.Get("Location"))
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := app.Options{FrontendAPI: "http://127.0.0.1:1", BackendAPI: "http://127.0.0.1:1/v1", SecretKey: "sk_test_x"}
	if _, err := app.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*app.Options){
		"no Frontend API":    func(o *app.Options) { o.FrontendAPI = "" },
		"a trailing slash":   func(o *app.Options) { o.BackendAPI += "/" },
		"no secret key":      func(o *app.Options) { o.SecretKey = "" },
		"ticket too short":   func(o *app.Options) { o.TicketLifetime = 1 },
		"ticket of an hour":  func(o *app.Options) { o.TicketLifetime = 3600e9 },
		"not a URL, a host":  func(o *app.Options) { o.FrontendAPI = "127.0.0.1" },
		"a URL without host": func(o *app.Options) { o.BackendAPI = "http:///v1" },
	} {
		opts := good
		change(&opts)
		if _, err := app.New(opts); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
