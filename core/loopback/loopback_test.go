package loopback_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/testwait"
)

func listen(t *testing.T) *loopback.Listener {
	t.Helper()
	before := runtime.NumGoroutine()
	l, err := loopback.Listen(t.Context(), loopback.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		http.DefaultClient.CloseIdleConnections()
		// Not in the context of the test, which has ended.
		if err := testwait.Done(context.Background(), func() bool { return runtime.NumGoroutine() <= before }); err != nil {
			t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	})
	return l
}

// address returns the callback's URL with these query values.
func address(l *loopback.Listener, values ...string) string {
	query := url.Values{"state": {l.State()}}
	for i := 0; i < len(values); i += 2 {
		query.Set(values[i], values[i+1])
	}
	return l.RedirectURL() + "?" + query.Encode()
}

type answer struct {
	status int
	header http.Header
	body   string
	url    string
	err    error
}

func get(rawURL string) answer {
	res, err := http.Get(rawURL)
	return read(res, err)
}

func read(res *http.Response, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body), res.Request.URL.String(), err}
}

// surfer sends requests as a browser does: localhost is this machine, whatever the resolver
// says.
var surfer = &http.Client{Transport: httpclient.New()}

func do(t *testing.T, method, rawURL, host string) answer {
	t.Helper()
	req, err := http.NewRequest(method, rawURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	return read(surfer.Do(req))
}

// The callback on 127.0.0.1 receives the token, and the browser gets a page of success.
// (spike B1)
func TestCallback(t *testing.T) {
	l := listen(t)
	browser := make(chan answer, 1)
	go func() { browser <- get(address(l, "ticket", "s3cret-ticket")) }()
	c, err := l.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Get("ticket") != "s3cret-ticket" {
		t.Errorf("ticket = %q", c.Get("ticket"))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if strings.Contains(fmt.Sprintf(verb, c), "s3cret") {
			t.Errorf("%s prints the ticket", verb)
		}
	}
	// Nothing is shown before the caller reports a result.
	if got := get("http://" + host(l) + "/done"); got.status != http.StatusNotFound {
		t.Errorf("the page is there before the result: %+v", got)
	}
	select {
	case got := <-browser:
		t.Fatalf("answered before the result: %+v", got)
	default:
	}
	c.Succeed(`Signed in as <alice> & "bob".`)
	got := <-browser
	if got.err != nil || got.status != http.StatusOK || got.url != "http://"+host(l)+"/done" {
		t.Fatalf("the browser got %+v, want the page at /done", got)
	}
	if strings.Contains(got.body, "s3cret") || strings.Contains(got.body, l.State()) {
		t.Error("the page contains a secret")
	}
	if !strings.Contains(got.body, `Signed in as &lt;alice&gt; &amp; &#34;bob&#34;.`) {
		t.Errorf("page: %s", got.body)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"Access-Control-Allow-Origin": "",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}
	if csp := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("CSP: %s", csp)
	}
	// The listener is closed.
	if again := get(address(l)); again.err == nil {
		t.Errorf("still listening: %+v", again)
	}
}

func host(l *loopback.Listener) string {
	u, err := url.Parse(l.RedirectURL())
	if err != nil {
		panic(err)
	}
	return u.Host
}

func TestForeignRequestsAreRefused(t *testing.T) {
	l := listen(t)
	good := address(l, "ticket", "t")
	for name, test := range map[string]struct {
		method, url, host string
		status            int
	}{
		"wrong state":     {"GET", l.RedirectURL() + "?state=AAAA&ticket=t", "", 400},
		"no state":        {"GET", l.RedirectURL() + "?ticket=t", "", 400},
		"two states":      {"GET", good + "&state=x", "", 400},
		"longer state":    {"GET", l.RedirectURL() + "?state=" + l.State() + "A", "", 400},
		"error, no state": {"GET", l.RedirectURL() + "?error=access_denied", "", 400},
		"bad query":       {"GET", good + "&a=%zz", "", 400},
		"POST":            {"POST", good, "", 405},
		"HEAD":            {"HEAD", good, "", 405},
		"OPTIONS":         {"OPTIONS", good, "", 405},
		"rebound name":    {"GET", good, "evil.example:80", 421},
		"localhost":       {"GET", good, strings.Replace(host(l), "127.0.0.1", "localhost", 1), 421},
		"no port":         {"GET", good, "127.0.0.1", 421},
		"favicon":         {"GET", "http://" + host(l) + "/favicon.ico", "", 404},
		"other path":      {"GET", "http://" + host(l) + "/callback/x?state=" + l.State(), "", 404},
		"the final page":  {"GET", "http://" + host(l) + "/done", "", 404},
	} {
		got := do(t, test.method, test.url, test.host)
		if got.status != test.status {
			t.Errorf("%s: %d %v, want %d", name, got.status, got.err, test.status)
		}
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: headers %v", name, got.header)
		}
		if strings.Contains(got.body, l.State()) {
			t.Errorf("%s: the answer contains the state", name)
		}
	}
	// None of them ended the sign-in.
	go get(good)
	c, err := l.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Succeed("")
}

func TestOneOfManyWins(t *testing.T) {
	l := listen(t)
	const n = 8
	answers := make(chan answer, n)
	for i := range n {
		go func() { answers <- get(address(l, "ticket", fmt.Sprint(i))) }()
	}
	for range n - 1 {
		if got := <-answers; got.status != http.StatusGone {
			t.Errorf("a later callback: %d %v, want 410", got.status, got.err)
		}
	}
	c, err := l.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Succeed("")
	if got := <-answers; got.status != http.StatusOK {
		t.Errorf("the first callback: %d %v, want 200", got.status, got.err)
	}
}

func TestAfterTheResultEverythingIsGone(t *testing.T) {
	l := listen(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	first := make(chan answer, 1)
	go func() { first <- read(client.Get(address(l, "ticket", "s3cret"))) }()
	c, err := l.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); c.Succeed("yes") }()
	if got := <-first; got.status != http.StatusSeeOther || got.header.Get("Location") != "/done" || got.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the callback got %+v, want a redirect to /done", got)
	}
	for _, path := range []string{"/callback?state=" + l.State(), "/callback?state=x", "/", "/x"} {
		if got := get("http://" + host(l) + path); got.status != http.StatusGone {
			t.Errorf("%s: %d %v, want 410", path, got.status, got.err)
		}
	}
	if got := get("http://" + host(l) + "/done"); got.status != http.StatusOK {
		t.Errorf("page: %d %v", got.status, got.err)
	}
	<-ended
}

func TestFailureIsShown(t *testing.T) {
	l := listen(t)
	browser := make(chan answer, 1)
	go func() { browser <- get(address(l, "ticket", "s3cret")) }()
	c, err := l.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Fail(errors.New("<script>alert(1)</script>" + strings.Repeat("x", 1000)))
	c.Succeed("too late")
	got := <-browser
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "Sign-in failed") || !strings.Contains(got.body, "&lt;script&gt;") {
		t.Errorf("the browser got %+v, want the escaped error", got)
	}
	if strings.Contains(got.body, "<script") || strings.Contains(got.body, "s3cret") || strings.Contains(got.body, strings.Repeat("x", 400)) {
		t.Error("the page is not escaped, too long or contains the ticket")
	}
}

func TestPageDenies(t *testing.T) {
	l := listen(t)
	browser := make(chan answer, 1)
	go func() {
		browser <- get(address(l, "error", "access_denied", "error_description", "no\x1b[31m\n<b>thanks</b>"))
	}()
	_, err := l.Wait(t.Context())
	var denied *loopback.DeniedError
	if !errors.As(err, &denied) || denied.Code != "access_denied" || denied.Description != "no[31m <b>thanks</b>" {
		t.Errorf("Wait = %v, want DeniedError with escaped text", err)
	}
	if got := <-browser; got.status != http.StatusBadRequest || !strings.Contains(got.body, "access_denied: no[31m &lt;b&gt;thanks") {
		t.Errorf("the browser got %+v, want the escaped error", got)
	}
}

func TestNoCallback(t *testing.T) {
	l := listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := l.Wait(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the browser did not come back to "+l.RedirectURL()) {
		t.Errorf("Wait = %v, want context.DeadlineExceeded with the redirect URL", err)
	}
}

func TestCloseAnswersTheHeldBrowser(t *testing.T) {
	l := listen(t)
	browser := make(chan answer, 1)
	go func() { browser <- get(address(l)) }()
	c, err := l.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if got := <-browser; got.status != http.StatusServiceUnavailable {
		t.Errorf("the held browser got %+v, want 503", got)
	}
	c.Succeed("not shown")
	if _, err := l.Wait(t.Context()); err == nil {
		t.Error("Wait after Close returned no error")
	}
}

// A browser that disconnects neither undoes the sign-in nor delays it.
func TestBrowserLeaves(t *testing.T) {
	l := listen(t)
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address(l, "ticket", "t"), nil)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan answer, 1)
	go func() { gone <- read(http.DefaultClient.Do(req)) }()
	c, err := l.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leave()
	<-gone
	c.Succeed("")
	if c.Get("ticket") != "t" {
		t.Error("the ticket is lost")
	}
}

// Browsers open connections in advance and leave them idle.
func TestIdleConnectionDoesNotDelayClose(t *testing.T) {
	l := listen(t)
	conn, err := net.Dial("tcp", host(l))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = l.Close()
	if _, err := bufio.NewReader(conn).ReadByte(); err == nil {
		t.Error("the connection is still served")
	}
}

func TestPaste(t *testing.T) {
	l := listen(t)
	for _, bad := range []string{
		"", "ticket", "https://" + host(l) + "/x?state=" + l.State(), "ftp://" + host(l) + "/callback?state=" + l.State(), "http://127.0.0.1:1/callback?state=" + l.State(),
		l.RedirectURL() + "?state=x", l.RedirectURL(), "http://" + host(l) + "/x?state=" + l.State(),
	} {
		if err := l.Paste(bad); err == nil || strings.Contains(err.Error(), l.State()) {
			t.Errorf("Paste(%q) = %v", bad, err)
		}
	}
	if err := l.Paste(" " + address(l, "ticket", "s3cret") + "\n"); err != nil {
		t.Fatal(err)
	}
	c, err := l.Wait(t.Context())
	if err != nil || c.Get("ticket") != "s3cret" {
		t.Fatalf("Wait = %v, %v, want the pasted ticket", c, err)
	}
	if err := l.Paste(address(l)); err == nil {
		t.Error("a second address was accepted")
	}
	c.Succeed("")
}

func TestListenRefusesPath(t *testing.T) {
	for _, path := range []string{"callback", "/done"} {
		if l, err := loopback.Listen(t.Context(), loopback.Options{Path: path}); err == nil {
			t.Errorf("%q accepted", path)
			_ = l.Close()
		}
	}
}

// For an issuer that compares ports, Listen takes the first free one of a list, and no other
// port.
func TestListenOnPorts(t *testing.T) {
	first := listen(t)
	_, port, err := net.SplitHostPort(host(first))
	if err != nil {
		t.Fatal(err)
	}
	taken, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	second, err := loopback.Listen(t.Context(), loopback.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := host(second)
	_, port, _ = net.SplitHostPort(want)
	free, _ := strconv.Atoi(port)
	_ = second.Close()

	l, err := loopback.Listen(t.Context(), loopback.Options{Ports: []int{taken, free}})
	if err != nil {
		t.Fatal(err)
	}
	if host(l) != want {
		t.Errorf("listens on %s, want %s", host(l), want)
	}
	other, err := loopback.Listen(t.Context(), loopback.Options{Ports: []int{taken, free}})
	var busy *loopback.BusyError
	if !errors.As(err, &busy) || len(busy.Unwrap()) != 2 || !slices.Equal(busy.Ports, []int{taken, free}) {
		t.Errorf("with all ports taken: %v, %v, want BusyError", other, err)
	}
	_ = l.Close()
}

// Browsers display the address in other forms than the one that they were sent to.
func TestPasteAsBrowsersShowIt(t *testing.T) {
	for _, form := range []string{"http://%s", "https://%s", "HTTPS://%s", "%s", "'%s'", "<http://%s>", "%s&iss=https://tenant.example/"} {
		l := listen(t)
		shown := fmt.Sprintf(form, strings.TrimPrefix(address(l, "ticket", "s3cret"), "http://"))
		if err := l.Paste(shown); err != nil {
			t.Errorf("Paste(%s): %v", form, err)
		}
		_ = l.Close()
	}
}

func FuzzPaste(f *testing.F) {
	l, err := loopback.Listen(context.Background(), loopback.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	f.Add(l.RedirectURL() + "?state=x")
	f.Add("http://127.0.0.1:1/callback?state=%zz&error=x")
	f.Fuzz(func(t *testing.T, address string) {
		if err := l.Paste(address); err == nil && !strings.Contains(address, l.State()) {
			t.Errorf("accepted %q", address)
		}
	})
}

// pasting returns a prompt for WaitOrPaste that answers with these lines, and then waits for
// its context to end.
func pasting(questions *[]string, lines ...string) func(context.Context, string) (provider.Secret, error) {
	return func(ctx context.Context, question string) (provider.Secret, error) {
		*questions = append(*questions, question)
		if n := len(*questions); n <= len(lines) {
			return provider.NewSecret(lines[n-1]), nil
		}
		<-ctx.Done()
		return provider.Secret{}, ctx.Err()
	}
}

func TestWaitOrPaste(t *testing.T) {
	l := listen(t)
	var questions []string
	withoutScheme := strings.TrimPrefix(address(l, "ticket", "s3cret"), "http://")
	c, err := l.WaitOrPaste(t.Context(), pasting(&questions, "", l.RedirectURL()+"?state=x", "'"+withoutScheme+"'"))
	if err != nil || c.Get("ticket") != "s3cret" {
		t.Fatalf("WaitOrPaste = %v, %v, want the pasted ticket", c, err)
	}
	if len(questions) != 3 || questions[0] != questions[1] || !strings.Contains(questions[2], "its state is not the one") {
		t.Errorf("the questions were %q", questions)
	}
	if strings.Contains(strings.Join(questions, ""), l.State()) {
		t.Error("a question contains the state")
	}
	c.Succeed("")
}

// The browser comes first: the prompt ends before WaitOrPaste returns.
func TestWaitOrPasteWithBrowser(t *testing.T) {
	l := listen(t)
	asked := make(chan struct{})
	over := false
	go func() {
		<-asked
		res, err := http.Get(address(l, "ticket", "s3cret"))
		if err != nil {
			t.Error(err)
			return
		}
		_ = res.Body.Close()
	}()
	c, err := l.WaitOrPaste(t.Context(), func(ctx context.Context, _ string) (provider.Secret, error) {
		close(asked)
		<-ctx.Done()
		over = true
		return provider.Secret{}, ctx.Err()
	})
	if err != nil || !over {
		t.Fatalf("%v; the prompt ended: %v", err, over)
	}
	c.Succeed("")
}

// Without anybody to ask, WaitOrPaste keeps waiting for the browser.
func TestWaitOrPasteWithoutPrompt(t *testing.T) {
	l := listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := l.WaitOrPaste(ctx, func(context.Context, string) (provider.Secret, error) {
		return provider.Secret{}, errors.New("no terminal")
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("WaitOrPaste = %v, want context.DeadlineExceeded", err)
	}
}

// A page that knows only the port may redirect to localhost, whatever address that resolves
// to.
func TestLocalhost(t *testing.T) {
	for _, by := range []string{"localhost", "127.0.0.1", "[::1]"} {
		l, err := loopback.Listen(t.Context(), loopback.Options{Path: "/", Localhost: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		_, port, err := net.SplitHostPort(host(l))
		if err != nil {
			t.Fatal(err)
		}
		if got := do(t, http.MethodGet, "http://127.0.0.1:"+port+"/?state="+l.State(), "attacker.example:"+port); got.status != http.StatusMisdirectedRequest {
			t.Errorf("with a foreign Host: %+v, want 421", got)
		}
		address := by
		if by == "[::1]" { // some systems resolve localhost to it
			by = "localhost"
			if _, err := net.Dial("tcp", "[::1]:"+port); err != nil {
				t.Skip("this machine has no IPv6")
			}
		}
		browser := make(chan answer, 1)
		go func() {
			browser <- do(t, http.MethodGet, "http://"+address+":"+port+"/?jwt=s3cret&state="+l.State(), by+":"+port)
		}()
		c, err := l.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.Succeed("Signed in.")
		if got := <-browser; c.Get("jwt") != "s3cret" || got.err != nil || strings.Contains(got.url, "s3cret") {
			t.Errorf("callback at %s: %+v", address, got)
		}
		pasted, err := loopback.Listen(t.Context(), loopback.Options{Path: "/", Localhost: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pasted.Close() })
		_, port, _ = net.SplitHostPort(host(pasted))
		if err := pasted.Paste("localhost:" + port + "/?jwt=x&state=" + pasted.State()); err != nil {
			t.Error(err)
		}
	}
	l := listen(t)
	_, port, _ := net.SplitHostPort(host(l))
	if got := do(t, http.MethodGet, "http://"+host(l)+"/callback?state="+l.State(), "localhost:"+port); got.status != http.StatusMisdirectedRequest {
		t.Errorf("localhost without the option: %+v, want 421", got)
	}
}
