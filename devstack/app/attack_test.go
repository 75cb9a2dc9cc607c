package app_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/app"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/clerk"
)

// tab is an attacker's browser, which sends one request at a time.
type tab struct {
	t *testing.T
	s *stack
	*http.Client
}

func (s *stack) tab(t *testing.T) *tab {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &tab{t, s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type view struct {
	*http.Response
	text string
}

func (b *tab) do(req *http.Request) view {
	b.t.Helper()
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return view{resp, string(body)}
}

func (b *tab) get(address string) view {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *tab) post(path string, form url.Values, headers ...string) view {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return b.do(req)
}

// hidden returns the value of a hidden field.
func (v view) hidden(name string) string {
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(v.text)
	if m == nil {
		return ""
	}
	return m[1]
}

func (b *tab) signIn() {
	b.t.Helper()
	page := b.get(b.s.URL + app.SignInPath)
	r := b.post(app.SignInPath, url.Values{"csrf_token": {page.hidden("csrf_token")}, "account": {"alice@example.test"}})
	if r.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("sign in: %d", r.StatusCode)
	}
}

// TestBadRequests checks that a bad request is answered with a page, never with a
// redirect or a request to sign in.
func TestBadRequests(t *testing.T) {
	s, term := newStack(t), newTerminal(t)
	port := strings.TrimPrefix(term.URL, "http://127.0.0.1:")
	for name, change := range map[string][]string{
		"another host":           {"redirect_uri", "http://evil.example/callback"},
		"userinfo trick":         {"redirect_uri", "http://127.0.0.1:1@evil.example/callback"},
		"userinfo":               {"redirect_uri", "http://a@127.0.0.1:" + port + "/callback"},
		"suffix host":            {"redirect_uri", "http://127.0.0.1.evil.example:80/callback"},
		"localhost":              {"redirect_uri", "http://localhost:" + port + "/callback"},
		"0.0.0.0":                {"redirect_uri", "http://0.0.0.0:" + port + "/callback"},
		"another loopback":       {"redirect_uri", "http://127.0.0.2:" + port + "/callback"},
		"decimal address":        {"redirect_uri", "http://2130706433:" + port + "/callback"},
		"IPv4 in IPv6":           {"redirect_uri", "http://[::ffff:127.0.0.1]:" + port + "/callback"},
		"https":                  {"redirect_uri", "https://127.0.0.1:" + port + "/callback"},
		"HTTP in capitals":       {"redirect_uri", "HTTP://127.0.0.1:" + port + "/callback"},
		"javascript":             {"redirect_uri", "javascript:alert(1)//127.0.0.1:1/callback"},
		"no scheme":              {"redirect_uri", "//127.0.0.1:" + port + "/callback"},
		"no port":                {"redirect_uri", "http://127.0.0.1/callback"},
		"port 0":                 {"redirect_uri", "http://127.0.0.1:0/callback"},
		"port too large":         {"redirect_uri", "http://127.0.0.1:65536/callback"},
		"another path":           {"redirect_uri", "http://127.0.0.1:" + port + "/other"},
		"path climbs":            {"redirect_uri", "http://127.0.0.1:" + port + "/x/../callback"},
		"query":                  {"redirect_uri", "http://127.0.0.1:" + port + "/callback?x=1"},
		"empty query":            {"redirect_uri", "http://127.0.0.1:" + port + "/callback?"},
		"fragment":               {"redirect_uri", "http://127.0.0.1:" + port + "/callback#x"},
		"backslash":              {"redirect_uri", `http://127.0.0.1:` + port + `\@evil.example/callback`},
		"line break":             {"redirect_uri", "http://127.0.0.1:" + port + "/callback\r\nX: y"},
		"trailing line break":    {"redirect_uri", "http://127.0.0.1:" + port + "/callback\n"},
		"no redirect_uri":        {"redirect_uri", ""},
		"no state":               {"state", ""},
		"state too short":        {"state", "fifteen-letters"},
		"state too long":         {"state", strings.Repeat("x", 257)},
		"state with markup":      {"state", `"><script>alert(1)</script>`},
		"state with a separator": {"state", "aaaaaaaaaaaaaaaa&ticket=x"},
		"no code":                {"code", ""},
		"code with markup":       {"code", "<b>X-2345"},
		"code in small letters":  {"code", "wxyz-2345"},
		"client with markup":     {"client", "<img src=x>"},
		"client too long":        {"client", strings.Repeat("z", 41)},
		"another mode":           {"mode", "cookie"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, signedIn := range []bool{false, true} {
				b := s.tab(t)
				if signedIn {
					b.signIn()
				}
				r := b.get(s.bridge(term, change...))
				if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
					t.Errorf("signed in %v: %d, Location %q", signedIn, r.StatusCode, r.Header.Get("Location"))
				}
				if strings.Contains(r.text, "<script>") || strings.Contains(r.text, "<img") || strings.Contains(r.text, "<form") {
					t.Errorf("page: %s", r.text)
				}
				if strings.Contains(r.Header.Get("Content-Security-Policy"), "evil") {
					t.Errorf("policy: %s", r.Header.Get("Content-Security-Policy"))
				}
			}
		})
	}
	if r := s.tab(t).get(s.bridge(term) + "&redirect_uri=http://evil.example/callback"); r.StatusCode != http.StatusBadRequest {
		t.Errorf("redirect_uri twice: %d", r.StatusCode)
	}
	if r := s.tab(t).get(s.bridge(term) + "&theme=dark"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the app's own parameter: %d", r.StatusCode)
	}
}

// TestForgedAnswers checks that a ticket takes a click on the page's button, by the
// person it was shown to, once, and in time.
func TestForgedAnswers(t *testing.T) {
	s, term := newStack(t), newTerminal(t)
	b := s.tab(t)
	b.signIn()
	open := func() string { return b.get(s.bridge(term)).hidden("request") }
	answer := func(request string) url.Values { return url.Values{"request": {request}, "decision": {"authorise"}} }
	check := func(name string, r view, status int) {
		t.Helper()
		if r.StatusCode != status || (status != http.StatusSeeOther) != (r.Header.Get("Location") == "") {
			t.Errorf("%s: %d, Location %q", name, r.StatusCode, r.Header.Get("Location"))
		}
	}
	check("no token", b.post(app.BridgePath, url.Values{"decision": {"authorise"}}), http.StatusForbidden)
	check("made-up token", b.post(app.BridgePath, answer("AAAAAAAAAAAAAAAAAAAAAAAAAA")), http.StatusForbidden)
	forged := answer("")
	forged.Set("redirect_uri", term.URL+"/callback")
	forged.Set("state", term.state)
	check("parameters instead of a token", b.post(app.BridgePath, forged), http.StatusForbidden)
	check("no decision", b.post(app.BridgePath, url.Values{"request": {open()}}), http.StatusBadRequest)
	check("another site's form", b.post(app.BridgePath, answer(open()), "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	check("another port's form", b.post(app.BridgePath, answer(open()), "Origin", term.URL), http.StatusForbidden)
	check("nobody signed in", s.tab(t).post(app.BridgePath, answer(open())), http.StatusForbidden)

	other := s.tab(t)
	other.signIn()
	check("another browser's token", other.post(app.BridgePath, answer(open())), http.StatusForbidden)

	request := open()
	check("the real thing", b.post(app.BridgePath, answer(request)), http.StatusSeeOther)
	check("the same again", b.post(app.BridgePath, answer(request)), http.StatusConflict)
	request = open()
	s.clock.advance(11 * time.Minute)
	check("too late", b.post(app.BridgePath, answer(request)), http.StatusConflict)

	first := open()
	for range 16 {
		open()
	}
	check("pushed out by newer ones", b.post(app.BridgePath, answer(first)), http.StatusForbidden)

	request = open()
	if err := s.clerk.RevokeSession(s.clerk.SessionIDs(s.clerk.UserID("alice@example.test"))[0]); err != nil {
		t.Fatal(err)
	}
	check("session revoked meanwhile", b.post(app.BridgePath, answer(request)), http.StatusForbidden)
}

// TestAnswerGoesWhereThePageSaid checks that the form can't change where a ticket is
// sent.
func TestAnswerGoesWhereThePageSaid(t *testing.T) {
	s, term := newStack(t), newTerminal(t)
	b := s.tab(t)
	b.signIn()
	page := b.get(s.bridge(term))
	for _, want := range []string{"WXYZ-2345", "alice@example.test", term.URL + "/callback"} {
		if !strings.Contains(page.text, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	r := b.post(app.BridgePath+"?redirect_uri=http://evil.example/callback", url.Values{
		"request": {page.hidden("request")}, "decision": {"authorise"}, "redirect_uri": {"http://evil.example/callback"}, "state": {"x"},
	})
	to, err := r.Location()
	if err != nil {
		t.Fatal(err)
	}
	if to.Scheme+"://"+to.Host+to.Path != term.URL+"/callback" || to.Query().Get("state") != term.state {
		t.Errorf("the answer goes to %s", to)
	}
	if strings.Contains(r.text, "ticket") {
		t.Error("the redirect's body contains the ticket")
	}
}

func TestHeaders(t *testing.T) {
	s, term := newStack(t), newTerminal(t)
	b := s.tab(t)
	signIn := b.get(s.URL + app.SignInPath)
	b.signIn()
	bridge := b.get(s.bridge(term))
	granted := b.post(app.BridgePath, url.Values{"request": {bridge.hidden("request")}, "decision": {"authorise"}})
	v6 := b.get(s.bridge(term, "redirect_uri", "http://[::1]:4000/callback"))
	for name, tt := range map[string]struct {
		view
		formAction string
	}{
		"sign-in":  {signIn, "form-action 'self';"},
		"bridge":   {bridge, "form-action 'self' " + term.URL + ";"},
		"IPv6":     {v6, "form-action 'self' http:;"},
		"redirect": {granted, "form-action 'self';"},
		"error":    {b.get(s.URL + "/app/nothing"), "form-action 'self';"},
	} {
		h := tt.Header
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", tt.formAction} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: policy %q lacks %q", name, policy, want)
			}
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", name, h)
		}
	}
	cookie := signIn.Header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/app"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	if style := b.get(s.URL + "/app/style.css"); style.StatusCode != 200 || !strings.HasPrefix(style.Header.Get("Content-Type"), "text/css") {
		t.Errorf("style sheet: %d %s", style.StatusCode, style.Header.Get("Content-Type"))
	}
}

func TestClerkFails(t *testing.T) {
	for _, mode := range []string{"ticket", "token"} {
		s, term := newStack(t), newTerminal(t)
		b := s.tab(t)
		b.signIn()
		request := b.get(s.bridge(term, "mode", mode)).hidden("request")
		s.fault.Store(clerk.FaultUnavailable)
		for name, r := range map[string]view{
			"answer":  b.post(app.BridgePath, url.Values{"request": {request}, "decision": {"authorise"}}),
			"bridge":  b.get(s.bridge(term)),
			"home":    b.get(s.URL + "/app/"),
			"sign-in": s.tab(t).post(app.SignInPath, nil),
		} {
			want := http.StatusBadGateway
			if name == "sign-in" {
				want = http.StatusForbidden
			}
			if r.StatusCode != want || r.Header.Get("Location") != "" {
				t.Errorf("%s, %s: %d", mode, name, r.StatusCode)
			}
		}
		b = s.tab(t)
		page := b.get(s.URL + app.SignInPath)
		r := b.post(app.SignInPath, url.Values{"csrf_token": {page.hidden("csrf_token")}, "account": {"alice@example.test"}})
		if r.StatusCode != http.StatusBadGateway {
			t.Errorf("sign-in while Clerk is down: %d", r.StatusCode)
		}
	}
}

func TestBrowserShowsRefusal(t *testing.T) {
	s := newStack(t)
	err := browse.Visit(context.Background(), browse.Person{User: "alice"}, s.URL+app.BridgePath+"?redirect_uri=http://evil.example/", nil)
	if err == nil || !strings.Contains(err.Error(), "redirect_uri must be http://127.0.0.1:PORT/callback") {
		t.Errorf("error %v", err)
	}
}
