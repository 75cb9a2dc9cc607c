//go:build !windows

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/chromiumtest"
	"github.com/zen-auth/zen/devstack/clients/npmtest"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/testwait"
)

// bridged is an app with a bridge page that zen has written, next to a stack, and with the
// other page that the app has: the one where people sign in.
type bridged struct {
	*stackUser
	stack   *devstack.Stack
	page    string       // the bridge page's address
	signIn  string       // of the sign-in page
	tickets atomic.Int32 // number of tickets requested from Clerk
	acting  atomic.Bool  // new sign-ins are impersonations of Alice
}

// cookies returns the browser's cookies of a user who is signed in to the app, as Clerk's
// scripts set them for a production instance.
func (b *bridged) cookies(email string) []*http.Cookie {
	b.t.Helper()
	organization := ""
	if email == "alice@example.test" {
		organization = b.backend(b.stack, http.MethodGet, "/organizations/acme")["id"].(string)
	}
	session, err := b.stack.Clerk.CreateSession(b.stack.Clerk.UserID(email), organization)
	if err != nil {
		b.t.Fatal(err)
	}
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": b.stack.Clerk.Issuer(), "sub": b.stack.Clerk.UserID(email), "sid": session, "v": 2, "sts": "active",
		"azp": strings.TrimSuffix(b.page, "/cli"), "iat": now, "nbf": now - 10, "exp": now + 600,
	}
	if organization != "" {
		claims["o"] = map[string]any{"id": organization, "slg": "acme", "rol": "admin"}
	}
	if b.acting.Load() {
		claims["act"] = map[string]any{"sub": "user_support"}
	}
	token, err := b.stack.Clerk.Sign(map[string]any{"cat": "cl_B7d4PD111AAA"}, claims)
	if err != nil {
		b.t.Fatal(err)
	}
	return []*http.Cookie{
		{Name: "__session", Value: token, Path: "/"},
		{Name: "__client_uat", Value: fmt.Sprint(now - 1), Path: "/"},
	}
}

// newBridged has zen write a bridge page into a directory, and starts it on a host with run,
// which gets the directory and the address to listen on.
func newBridged(t *testing.T, topic, host string, run func(t *testing.T, dir, address string) *exec.Cmd) *bridged {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser; make test-all runs it")
	}
	seed := devstack.DefaultSeed()
	seed.Clerk.Production = true
	b := &bridged{}
	b.stackUser, b.stack = newStackUser(t, devstack.Options{Seed: seed})
	stack, err := url.Parse(b.stack.URL())
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(stack)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/v1/sign_in_tokens") {
			b.tickets.Add(1)
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(backend.Close)
	apps := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range b.cookies("alice@example.test") {
			http.SetCookie(w, c)
		}
		http.Redirect(w, r, r.URL.Query().Get("redirect_url"), http.StatusSeeOther)
	}))
	t.Cleanup(apps.Close)
	b.signIn = strings.Replace(apps.URL, "127.0.0.1", host, 1) + "/sign-in"

	dir := t.TempDir()
	b.run("provider", "setup", "clerk", "--topic", topic, "--write", dir)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := strings.Replace(listener.Addr().String(), "127.0.0.1", host, 1)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	b.page = "http://" + address + "/cli"
	cmd := run(t, dir, address)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = append(os.Environ(),
		"CLERK_SECRET_KEY="+b.stack.Clerk.SecretKey(), "CLERK_PUBLISHABLE_KEY="+b.stack.Clerk.PublishableKey(),
		"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY="+b.stack.Clerk.PublishableKey(), "NEXT_PUBLIC_CLERK_SIGN_IN_URL="+b.signIn, "CLERK_SIGN_IN_URL="+b.signIn,
		"CLERK_API_URL="+backend.URL+strings.TrimSuffix(strings.TrimPrefix(b.stack.Clerk.BackendURL(), b.stack.URL()), "/v1"),
		"CLERK_TELEMETRY_DISABLED=1", "NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED=1", "NEXT_TELEMETRY_DISABLED=1",
	)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the runtimes start child processes
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the app:\n%s", said.String())
		}
	})
	// Poll: the foreign runtimes don't report that they listen.
	testwait.Until(t, "the page responds", func() bool {
		res, err := http.Get(b.page)
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusBadRequest // the request has no parameters
	})
	b.environ = append(b.environ, "ZEN_CLERK__BRIDGE_URL="+b.page)
	return b
}

// ask returns the page's address with the parameters of a sign-in request.
func (b *bridged) ask(changes ...string) string {
	query := url.Values{
		"redirect_uri": {"http://127.0.0.1:1/callback"}, "state": {"0123456789abcdef"}, "code": {"ABCD-2345"}, "client": {"zen"}, "mode": {"ticket"},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		query.Set(changes[i], changes[i+1])
	}
	return b.page + "?" + query.Encode()
}

// send sends a request with cookies, as a browser would.
func (b *bridged) send(method, address string, cookies []*http.Cookie, form url.Values, header ...string) (*http.Response, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "text/html")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	for _, c := range cookies {
		req.AddCookie(c)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(body)
}

var formToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// form returns the token of the form on the page.
func (b *bridged) form(address string, cookies []*http.Cookie) string {
	b.t.Helper()
	res, body := b.send(http.MethodGet, address, cookies, nil)
	found := formToken.FindStringSubmatch(body)
	if res.StatusCode != http.StatusOK || found == nil {
		b.t.Fatalf("status %d without a form: %s", res.StatusCode, body)
	}
	policy := res.Header.Get("Content-Security-Policy")
	for _, part := range []string{"frame-ancestors 'none'", "default-src 'none'", "form-action 'self' http://127.0.0.1:1;"} {
		if !strings.Contains(policy, part) {
			b.t.Errorf("Content-Security-Policy %q lacks %s", policy, part)
		}
	}
	return found[1]
}

// refuses sends requests that no legitimate browser makes.
func (b *bridged) refuses(t *testing.T) {
	b.t = t
	alice, bob := b.cookies("alice@example.test"), b.cookies("bob@example.test")
	own := b.form(b.ask(), alice)
	before := b.tickets.Load()
	for name, change := range map[string][]string{
		"another host":   {"redirect_uri", "http://evil.example/callback"},
		"user name":      {"redirect_uri", "http://127.0.0.1:1@evil.example/callback"},
		"localhost":      {"redirect_uri", "http://localhost:80/callback"},
		"https":          {"redirect_uri", "https://127.0.0.1:80/callback"},
		"no port":        {"redirect_uri", "http://127.0.0.1/callback"},
		"port too large": {"redirect_uri", "http://127.0.0.1:65536/callback"},
		"another path":   {"redirect_uri", "http://127.0.0.1:80/x"},
		"a query":        {"redirect_uri", "http://127.0.0.1:80/callback?x"},
		"a line feed":    {"redirect_uri", "http://127.0.0.1:80/callback\n"},
		"short state":    {"state", "short"},
		"state, markup":  {"state", "<script>alert(1)</script>"},
		"an empty code":  {"code", ""},
		"client, markup": {"client", "<b>zen</b>"},
		"unknown mode":   {"mode", "cookie"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			// Without cookies there is no redirect to the sign-in page either.
			for _, cookies := range [][]*http.Cookie{alice, nil} {
				res, body := b.send(method, b.ask(change...), cookies, url.Values{"token": {own}, "decision": {"authorise"}}, "Sec-Fetch-Site", "same-origin")
				if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" || strings.Contains(body, "<script>alert") {
					t.Errorf("%s, %s: status %d, location %q", name, method, res.StatusCode, res.Header.Get("Location"))
				}
			}
		}
	}
	if res, _ := b.send(http.MethodGet, b.ask()+"&state=0123456789abcdeX", alice, nil); res.StatusCode != http.StatusBadRequest {
		t.Errorf("two states: status %d", res.StatusCode)
	}
	authorise := url.Values{"token": {own}, "decision": {"authorise"}}
	for name, test := range map[string]struct {
		address string
		cookies []*http.Cookie
		form    url.Values
		header  []string
	}{
		"from another site":     {b.ask(), alice, authorise, []string{"Sec-Fetch-Site", "cross-site"}},
		"from another port":     {b.ask(), alice, authorise, []string{"Sec-Fetch-Site", "same-site"}},
		"from another origin":   {b.ask(), alice, authorise, []string{"Origin", "http://evil.example"}},
		"from a sandbox":        {b.ask(), alice, authorise, []string{"Origin", "null"}},
		"without an origin":     {b.ask(), alice, authorise, nil},
		"without a token":       {b.ask(), alice, url.Values{"decision": {"authorise"}}, []string{"Sec-Fetch-Site", "same-origin"}},
		"with another's token":  {b.ask(), bob, authorise, []string{"Sec-Fetch-Site", "same-origin"}},
		"for another redirect":  {b.ask("redirect_uri", "http://127.0.0.1:2/callback"), alice, authorise, []string{"Sec-Fetch-Site", "same-origin"}},
		"for another state":     {b.ask("state", "0123456789abcdeX"), alice, authorise, []string{"Sec-Fetch-Site", "same-origin"}},
		"for another code":      {b.ask("code", "ABCD-2346"), alice, authorise, []string{"Sec-Fetch-Site", "same-origin"}},
		"in the mode token":     {b.ask("mode", "token"), alice, authorise, []string{"Sec-Fetch-Site", "same-origin"}},
		"with an older token":   {b.ask(), alice, url.Values{"token": {"1" + own[10:]}, "decision": {"authorise"}}, []string{"Sec-Fetch-Site", "same-origin"}},
		"with a token of zeros": {b.ask(), alice, url.Values{"token": {own[:11] + strings.Repeat("0", 64)}, "decision": {"authorise"}}, []string{"Sec-Fetch-Site", "same-origin"}},
		"signed out":            {b.ask(), nil, authorise, []string{"Sec-Fetch-Site", "same-origin"}},
		"signed out, origin":    {b.ask(), nil, authorise, []string{"Origin", strings.TrimSuffix(b.page, "/cli")}},
		"without a decision":    {b.ask(), alice, url.Values{"token": {own}}, []string{"Sec-Fetch-Site", "same-origin"}},
	} {
		res, body := b.send(http.MethodPost, test.address, test.cookies, test.form, test.header...)
		// Clerk's own middleware may redirect a signed-out request before it reaches the
		// page.
		if res.StatusCode/100 != 4 && !(test.cookies == nil && strings.HasPrefix(res.Header.Get("Location"), b.signIn)) {
			t.Errorf("%s: status %d, location %q\n%s", name, res.StatusCode, res.Header.Get("Location"), body)
		}
	}
	b.acting.Store(true)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		res, body := b.send(method, b.ask(), b.cookies("alice@example.test"), authorise, "Sec-Fetch-Site", "same-origin")
		if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "act as somebody else") {
			t.Errorf("impersonation of Alice, %s: status %d\n%s", method, res.StatusCode, body)
		}
	}
	b.acting.Store(false)
	if got := b.tickets.Load(); got != before {
		t.Errorf("%d tickets were created, want none", got-before)
	}
	// The one valid request creates a ticket.
	res, body := b.send(http.MethodPost, b.ask(), alice, authorise, "Sec-Fetch-Site", "same-origin")
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "http://127.0.0.1:1/callback?") || !strings.Contains(to, "ticket=") {
		t.Errorf("authorised: status %d, location %q\n%s", res.StatusCode, to, body)
	}
	if got := b.tickets.Load(); got != before+1 {
		t.Errorf("%d tickets were created, want 1", got-before)
	}
}

// signsIn signs a user in at a terminal and a browser.
func (b *bridged) signsIn(t *testing.T) {
	b.t = t
	tab := chromiumtest.Open(t)
	l := b.login("--provider", "clerk")
	tab.Do(chromedp.Navigate(l.page())) // through the sign-in page and back
	tab.Sees("output.code", l.code())
	tab.Screenshot("bridge.png")
	tab.Press("Authorise this terminal")
	tab.Sees("h1", "Signed in")
	if code := chromiumtest.Find[string](tab, "location.search"); code != "" {
		t.Errorf("the address bar shows %s", code)
	}
	l.done()

	// A token carries only the user's id; the page adds the account's name.
	l = b.login("--provider", "clerk", "--method", "redirect")
	tab.Do(chromedp.Navigate(l.page()))
	tab.Sees("main", "nobody can take back")
	tab.Press("Authorise this terminal")
	tab.Sees("h1", "Signed in")
	if err := l.cmd.Wait(); err != nil {
		t.Fatalf("zen login --method redirect: %v\n%s", err, l.text())
	}
	l.cancel()
	var shown struct{ Account, Detail, Subject, Organization string }
	if err := json.Unmarshal([]byte(b.run("status", "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	if shown.Account != "alice@example.test" || !strings.HasPrefix(shown.Detail, "organization acme as org:admin, by the page's word") || shown.Subject != b.stack.Clerk.UserID("alice@example.test") || shown.Organization != "" {
		t.Errorf("zen status after a redirect: %+v", shown)
	}
	if got := b.run("db", "query", "--format", "csv", "SELECT 40 + 2 AS n"); got != "n\n42\n" {
		t.Errorf("query after a redirect: %q", got)
	}
	b.run("logout")

	tab.Expect("status of 400") // the last page is an error page
	l = b.login("--provider", "clerk")
	defer l.cancel()
	tab.Do(chromedp.Navigate(l.page()))
	tab.Press("Cancel")
	tab.Sees("h1", "Sign-in failed")
	_ = l.cmd.Wait()
	if code := app.ExitStatus(l.cmd.ProcessState); code != app.ExitSignIn {
		t.Errorf("declined: exit code %d\n%s", code, l.text())
	}
}

// isAttacked opens a hostile page as a signed-in user while zen login waits.
func (b *bridged) isAttacked(t *testing.T) {
	b.t = t
	tab := chromiumtest.Open(t)
	l := b.login("--provider", "clerk")
	l.page()
	page, err := url.Parse(regexp.MustCompile(regexp.QuoteMeta(b.page) + `\?\S+`).FindString(l.text()))
	if err != nil {
		t.Fatal(err)
	}
	// The attacker guesses the port and brings a state of their own.
	hostile := b.ask("redirect_uri", page.Query().Get("redirect_uri"))
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Referrer-Policy", "no-referrer")
		switch r.URL.Path {
		case "/link":
			fmt.Fprintf(w, `<main><a href=%q>Free kittens</a></main>`, hostile)
		case "/frame":
			fmt.Fprintf(w, `<main>Kittens</main><iframe src=%q></iframe>`, hostile)
		case "/post":
			fmt.Fprintf(w, `<form method="post" action=%q><input name="decision" value="authorise"><input name="token" value="1.2"></form><script>document.forms[0].submit()</script>`, hostile)
		}
	}))
	defer evil.Close()
	hosts := []string{evil.URL, strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)}
	if strings.HasPrefix(b.page, "http://localhost") {
		slices.Reverse(hosts)
	}
	near, elsewhere := hosts[0], hosts[1]
	tab.Do(chromedp.Navigate(b.signIn + "?redirect_url=" + url.QueryEscape(near))) // Alice is signed in
	before := b.tickets.Load()

	// From another port of the same site, so that cookies are sent.
	tab.Expect("frame-ancestors")
	tab.Do(chromedp.Navigate(near + "/frame"))
	tab.Complains()
	tab.Expect("status of 403")
	for _, from := range hosts {
		tab.Do(chromedp.Navigate(from + "/post"))
		tab.Sees("main", "Nothing was authorised")
	}
	tab.Do(chromedp.Navigate(elsewhere+"/link"), chromedp.Click(chromedp.CSS("a")))
	tab.Sees("output.code", "ABCD-2345")
	if l.code() == "ABCD-2345" {
		t.Error("the page shows the terminal's own code")
	}
	if got := b.tickets.Load(); got != before {
		t.Errorf("%d tickets were created without a click", got-before)
	}

	// A user who clicks anyway sends a ticket to the waiting zen, which doesn't know that
	// state and keeps waiting.
	tab.Expect("status of 400")
	tab.Press("Authorise this terminal")
	tab.Sees("body", "state")
	if strings.Contains(l.text(), "Signed in") {
		t.Errorf("zen accepted the foreign state:\n%s", l.text())
	}
	tab.Do(chromedp.Navigate(page.String()))
	tab.Press("Authorise this terminal")
	tab.Sees("h1", "Signed in")
	l.done()
}

// TestBridgePages runs each bridge page that zen writes in its own runtime, with a real
// browser.
func TestBridgePages(t *testing.T) {
	for _, tt := range []struct {
		topic, host string
		run         func(t *testing.T, dir, address string) *exec.Cmd
	}{
		{"bridge-go", "127.0.0.1", func(t *testing.T, dir, address string) *exec.Cmd {
			for _, name := range []string{"main.go", "go.mod"} {
				copyFile(t, filepath.Join("testdata", "bridge", "go", name), filepath.Join(dir, name))
			}
			program := filepath.Join(dir, "app")
			build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
			build.Dir = dir
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("go build: %v\n%s", err, out)
			}
			return exec.Command(program, address)
		}},
		// Next.js takes 127.0.0.1 for localhost, and would send requests to itself for ever.
		{"bridge-next", "localhost", func(t *testing.T, dir, address string) *exec.Cmd {
			installed := npmtest.Install(t, "testdata/bridge/next")
			copyFile(t, filepath.Join(installed, "proxy.js"), filepath.Join(dir, "proxy.js"))
			copyFile(t, filepath.Join(installed, "package.json"), filepath.Join(dir, "package.json"))
			if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
				t.Fatal(err)
			}
			_, port, _ := strings.Cut(address, ":")
			cmd := exec.Command("node", filepath.Join(installed, "node_modules", "next", "dist", "bin", "next"), "dev", "--webpack", "-H", "localhost", "-p", port)
			cmd.Dir = dir
			return cmd
		}},
		{"bridge-cloudflare-worker", "127.0.0.1", func(t *testing.T, dir, address string) *exec.Cmd {
			installed := npmtest.Install(t, "testdata/bridge/worker")
			_, port, _ := strings.Cut(address, ":")
			cmd := exec.Command("node", "run.mjs", filepath.Join(dir, "cli-bridge", "src", "index.js"), port)
			cmd.Dir = installed
			return cmd
		}},
	} {
		t.Run(tt.topic, func(t *testing.T) {
			b := newBridged(t, tt.topic, tt.host, tt.run)
			t.Run("refuses", b.refuses)
			t.Run("signs in", b.signsIn)
			t.Run("is attacked", b.isAttacked)
			b.t = t
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
