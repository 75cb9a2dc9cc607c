package clibridge

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const asks = "/cli?redirect_uri=http%3A%2F%2F127.0.0.1%3A4000%2Fcallback&state=0123456789abcdef&code=ABCD-2345&client=zen&mode=ticket"

// app is a page, and the person signed in at it.
type app struct {
	Bridge
	t       *testing.T
	person  Person
	tickets int
}

func newApp(t *testing.T) *app {
	a := &app{t: t, person: Person{UserID: "user_alice", Name: "Alice <b>"}}
	clerk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.tickets++
		body, err := io.ReadAll(r.Body)
		if r.URL.Path == "/v1/sessions/sess_1/tokens/turso" && r.Header.Get("Authorization") == "Bearer sk_test_planted" && string(body) == "{}" {
			io.WriteString(w, `{"object":"token","jwt":"a.template.token"}`)
			return
		}
		if err != nil || r.URL.Path != "/v1/sign_in_tokens" || r.Header.Get("Authorization") != "Bearer sk_test_planted" || string(body) != `{"expires_in_seconds":30,"user_id":"user_alice"}` {
			t.Errorf("%s %s, %v", r.URL.Path, body, err)
		}
		io.WriteString(w, `{"token":"a+ticket"}`)
	}))
	t.Cleanup(clerk.Close)
	a.Bridge = Bridge{
		URL: "https://app.example/cli", SignInURL: "https://app.example/sign-in?x=1", SecretKey: "sk_test_planted", BackendURL: clerk.URL,
		SignedIn: func(*http.Request) (Person, bool) { return a.person, a.person.UserID != "" },
	}
	return a
}

func (a *app) do(method, address string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func (a *app) form() url.Values {
	a.t.Helper()
	shown := a.do(http.MethodGet, asks, nil)
	found := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(shown.Body.String())
	policy := shown.Header().Get("Content-Security-Policy")
	if shown.Code != http.StatusOK || found == nil || !strings.Contains(shown.Body.String(), "Alice &lt;b&gt;") || !strings.Contains(shown.Body.String(), "ABCD-2345") ||
		!strings.Contains(policy, "form-action 'self' http://127.0.0.1:4000; frame-ancestors 'none'") {
		a.t.Fatalf("answer %d, policy %q\n%s", shown.Code, policy, shown.Body)
	}
	return url.Values{"token": {found[1]}, "decision": {"authorise"}}
}

func TestBridge(t *testing.T) {
	a := newApp(t)
	for name, header := range map[string][]string{"Sec-Fetch-Site": {"Sec-Fetch-Site", "same-origin"}, "Origin": {"Origin", "https://app.example"}} {
		got := a.do(http.MethodPost, asks, a.form(), header...)
		if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "http://127.0.0.1:4000/callback?state=0123456789abcdef&ticket=a%2Bticket" || got.Body.Len() != 0 {
			t.Errorf("%s: %d to %s", name, got.Code, got.Header().Get("Location"))
		}
	}
	form := a.form()
	form.Set("decision", "cancel")
	if got := a.do(http.MethodPost, asks, form, "Sec-Fetch-Site", "same-origin"); got.Header().Get("Location") != "http://127.0.0.1:4000/callback?error=access_denied&state=0123456789abcdef" {
		t.Errorf("declined: %d to %s", got.Code, got.Header().Get("Location"))
	}
	redirect := strings.Replace(asks, "mode=ticket", "mode=token", 1)
	a.person.SessionID, a.person.Organization = "sess_1", Organization{ID: "org_1", Slug: "acme", Role: "org:admin"}
	if shown := a.do(http.MethodGet, redirect, nil).Body.String(); !strings.Contains(shown, "nobody can take back") {
		t.Errorf("the page for a token:\n%s", shown)
	}
	form = url.Values{"token": {a.Bridge.token(a.person, mustRead(t, redirect), time.Now().Add(time.Minute))}, "decision": {"authorise"}}
	const token = "http://127.0.0.1:4000/callback?name=Alice+%3Cb%3E&org_id=org_1&org_role=org%3Aadmin&org_slug=acme&state=0123456789abcdef&token=a.template.token"
	if got := a.do(http.MethodPost, redirect, form, "Sec-Fetch-Site", "same-origin"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != token {
		t.Errorf("a token: %d to %s", got.Code, got.Header().Get("Location"))
	}
	// The form of one mode is not accepted for the other.
	if got := a.do(http.MethodPost, asks, form, "Sec-Fetch-Site", "same-origin"); got.Code != http.StatusForbidden {
		t.Errorf("a ticket requested with the form for a token: %d", got.Code)
	}
	a.person.SessionID = ""
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if got := a.do(method, redirect, form, "Sec-Fetch-Site", "same-origin"); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "tickets alone") {
			t.Errorf("a token of no session, %s: %d", method, got.Code)
		}
	}
	a.person = Person{}
	back := url.QueryEscape("https://app.example" + asks)
	if got := a.do(http.MethodGet, asks, nil); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "https://app.example/sign-in?redirect_url="+back+"&x=1" {
		t.Errorf("without a signed-in person: %d to %s", got.Code, got.Header().Get("Location"))
	}
	if a.tickets != 3 {
		t.Errorf("Clerk was asked for %d tickets", a.tickets)
	}
}

func mustRead(t *testing.T, address string) request {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := read(u.Query())
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

func TestBridgeRefuses(t *testing.T) {
	a := newApp(t)
	form, same := a.form(), []string{"Sec-Fetch-Site", "same-origin"}
	for name, test := range map[string]struct {
		change  func()
		address string
		header  []string
		want    int
	}{
		"another host":      {nil, strings.Replace(asks, "127.0.0.1", "evil.example", 1), same, 400},
		"port too large":    {nil, strings.Replace(asks, "4000", "65536", 1), same, 400},
		"state twice":       {nil, asks + "&state=0123456789abcdef", same, 400},
		"a mode":            {nil, strings.Replace(asks, "mode=ticket", "mode=cookie", 1), same, 400},
		"another port":      {nil, strings.Replace(asks, "4000", "4001", 1), same, 403},
		"another state":     {nil, strings.Replace(asks, "cdef", "cdee", 1), same, 403},
		"another site":      {nil, asks, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another port's":    {nil, asks, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://app.example"}, 403},
		"another origin":    {nil, asks, []string{"Origin", "https://app.example.evil.example"}, 403},
		"no origin":         {nil, asks, nil, 403},
		"another person":    {func() { a.person.UserID = "user_bob" }, asks, same, 403},
		"somebody as Alice": {func() { a.person.Acting = true }, asks, same, 403},
		"nobody":            {func() { a.person = Person{} }, asks, same, 403},
		"another key":       {func() { a.SecretKey = "sk_test_other" }, asks, same, 403},
		"later":             {func() { a.Now = func() time.Time { return time.Now().Add(formLifetime + time.Second) } }, asks, same, 403},
	} {
		t.Run(name, func(t *testing.T) {
			before := a.Bridge
			person := a.person
			if test.change != nil {
				test.change()
			}
			got := a.do(http.MethodPost, test.address, form, test.header...)
			a.Bridge, a.person = before, person
			if got.Code != test.want || got.Header().Get("Location") != "" {
				t.Errorf("%d to %q, want %d", got.Code, got.Header().Get("Location"), test.want)
			}
		})
	}
	if got := a.do(http.MethodPut, asks, form, same...); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", got.Code)
	}
	if a.tickets != 0 {
		t.Errorf("%d tickets were made", a.tickets)
	}
}
