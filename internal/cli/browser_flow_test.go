//go:build !windows

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/chromiumtest"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/testwait"
)

// stackUser runs zen as a process next to a stack. The test is the browser: it gets the address
// that zen opens.
type stackUser struct {
	t       *testing.T
	zen     string
	dir     string
	environ []string
	opened  string // receives the opened address
}

func newStackUser(t *testing.T, options devstack.Options) (*stackUser, *devstack.Stack) {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	stack := devstacktest.Start(t, options)
	dir := t.TempDir()
	variables, err := stack.Environment(dir)
	if err != nil {
		t.Fatal(err)
	}
	term := &stackUser{t: t, zen: filepath.Join(bin, "zen"), dir: dir, opened: filepath.Join(dir, "opened")}
	browser := filepath.Join(dir, "browser")
	script := fmt.Sprintf("#!/bin/sh\nprintf '%%s' \"$1\" > '%s.part' && mv '%s.part' '%s'\n", term.opened, term.opened, term.opened)
	if err := os.WriteFile(browser, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	term.environ = append(os.Environ(), "BROWSER="+browser, "CI=", "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, v := range variables {
		term.environ = append(term.environ, v.Name+"="+v.Value)
	}
	return term, stack
}

// command returns a command that runs zen.
func (term *stackUser) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, term.zen, args...)
	cmd.Dir, cmd.Env = term.dir, term.environ
	return cmd
}

// run runs zen, which has to succeed, and returns its output.
func (term *stackUser) run(args ...string) string {
	term.t.Helper()
	ctx, cancel := context.WithTimeout(term.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := term.command(ctx, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		term.t.Fatalf("zen %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// backend sends a request to the Backend API, as the dashboard does, and returns the
// response.
func (term *stackUser) backend(stack *devstack.Stack, method, path string, body ...string) (answer map[string]any) {
	term.t.Helper()
	req, err := http.NewRequestWithContext(term.t.Context(), method, stack.Clerk.BackendURL()+path, strings.NewReader(strings.Join(body, "")))
	if err != nil {
		term.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+stack.Clerk.SecretKey())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		term.t.Fatal(err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent:
		return nil
	default:
		term.t.Fatalf("%s %s: %s", method, path, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		term.t.Fatal(err)
	}
	return answer
}

// login is a running zen login.
type login struct {
	*stackUser
	cmd    *exec.Cmd
	cancel context.CancelFunc
	said   liveOutput
}

func (l *login) text() string { return l.said.String() }

func (term *stackUser) login(args ...string) *login {
	term.t.Helper()
	if err := os.RemoveAll(term.opened); err != nil {
		term.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(term.t.Context(), 3*time.Minute)
	l := &login{stackUser: term, cancel: cancel}
	l.cmd = term.command(ctx, append([]string{"login"}, args...)...)
	l.cmd.Stdout, l.cmd.Stderr = &l.said, &l.said
	if err := l.cmd.Start(); err != nil {
		term.t.Fatal(err)
	}
	return l
}

// page waits for the address that zen opens.
func (l *login) page() string {
	l.t.Helper()
	var address []byte
	testwait.Until(l.t, "zen opens a page", func() (opened bool) {
		var err error
		address, err = os.ReadFile(l.opened)
		return err == nil
	})
	return string(address)
}

// done waits for the end of a successful sign-in as Alice, and queries the database and a
// replica with it.
func (l *login) done() {
	l.t.Helper()
	defer l.cancel()
	if err := l.cmd.Wait(); err != nil {
		l.t.Fatalf("zen login: %v\n%s", err, l.text())
	}
	if !strings.Contains(l.text(), "alice@example.test") {
		l.t.Errorf("zen login doesn't name the account:\n%s", l.text())
	}
	for _, mode := range modes() {
		if got := l.run("db", "query", "--mode", mode, "--format", "csv", "SELECT 40 + 2 AS n"); got != "n\n42\n" {
			l.t.Errorf("mode %s: %q", mode, got)
		}
	}
	l.run("logout")
}

// modes returns the modes in which a database at Turso can be read.
func modes() []string {
	if replica.Linked {
		return []string{"remote", "replica"}
	}
	return []string{"remote"}
}

// signIn fills in the stack's sign-in page.
func signIn(tab *chromiumtest.Tab, picture string) {
	tab.Sees("main", "Sign in")
	tab.Type("email", "alice@example.test")
	tab.Type("password", "alice-dev-password")
	tab.Screenshot(picture)
	tab.Do(chromedp.Click(chromedp.CSS("[name=step][value=password]")))
}

var shownCode = regexp.MustCompile(`[A-Z0-9]{4}-[A-Z0-9]{4}`)

// code returns the code that the terminal shows.
func (l *login) code() string {
	l.t.Helper()
	code, _ := l.said.match(l.t, 0, shownCode)
	return code
}

// The spike left its test 8 to people: a full browser flow end to end. Here it runs for each
// way to sign in, in a real browser with no fakes, up to rows of a query.
func TestSpike8FullBrowserFlowEndToEnd(t *testing.T) {
	term, stack := newStackUser(t, devstack.Options{})

	t.Run("Clerk's bridge", func(t *testing.T) {
		term.t = t
		tab := chromiumtest.Open(t)
		l := term.login("--provider", "clerk")
		tab.Do(chromedp.Navigate(l.page()))
		signIn(tab, "clerk-sign-in.png")
		tab.Sees("main", "Sign in a terminal?")
		tab.Sees("output.code", l.code()) // the code to compare is the one that the terminal shows
		tab.Screenshot("clerk-bridge.png")
		tab.Press("Authorise this terminal")
		tab.Sees("h1", "Signed in")
		tab.Screenshot("clerk-done.png")
		l.done()
	})

	t.Run("Auth0 with consent", func(t *testing.T) {
		term.t = t
		tab := chromiumtest.Open(t)
		l := term.login("--provider", "auth0")
		tab.Do(chromedp.Navigate(l.page()))
		signIn(tab, "auth0-sign-in.png")
		tab.Sees("main", "Continue to zen?")
		tab.Sees("main", "http://127.0.0.1:5368") // the redirect address
		tab.Screenshot("auth0-consent.png")
		tab.Press("Continue")
		tab.Sees("h1", "Signed in")
		if at := chromiumtest.Find[string](tab, "location.search"); at != "" {
			t.Errorf("the address bar shows %s", at)
		}
		tab.Screenshot("auth0-done.png")
		l.done()
	})

	t.Run("a device at Auth0", func(t *testing.T) {
		term.t = t
		tab := chromiumtest.Open(t)
		l := term.login("--provider", "auth0", "--method", "device", "--no-browser")
		code := l.code()
		tab.Do(chromedp.Navigate(stack.Auth0.BaseURL() + "/activate"))
		tab.Sees("main", "Enter the code displayed on your device")
		tab.Type("user_code", code)
		tab.Screenshot("device-code.png")
		tab.Press("Continue")
		tab.Sees("output.code", code)
		tab.Screenshot("device-confirm.png")
		tab.Press("Confirm")
		signIn(tab, "device-sign-in.png")
		tab.Sees("main", "Your device is now connected")
		tab.Screenshot("device-done.png")
		l.done()
	})

	t.Run("refused", func(t *testing.T) {
		term.t = t
		tab := chromiumtest.Open(t)
		tab.Expect("status of 400") // the last page is an error page
		l := term.login("--provider", "auth0")
		defer l.cancel()
		tab.Do(chromedp.Navigate(l.page()))
		signIn(tab, "refused-sign-in.png")
		tab.Sees("main", "Continue to zen?")
		tab.Press("Cancel")
		tab.Sees("h1", "Sign-in failed")
		tab.Screenshot("refused.png")
		if err := l.cmd.Wait(); err == nil {
			t.Errorf("zen login succeeded:\n%s", l.text())
		}
	})
}
