package devstack_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/fault"
)

// browser is a tab, and the test that it is for.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// newBrowser starts a headless Chromium. Whatever it complains about, such as what
// the page's policy forbids, fails the test.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("make test-all has the browsers")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	switch {
	case path == "" && os.Getenv("CI") == "true":
		t.Fatal("chromium is missing: scripts/install-test-tools.sh installs it")
	case path == "":
		t.Skip("SKIPPED: chromium is missing, so nobody looks at the page. scripts/install-test-tools.sh installs it.")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1440, 1250), chromedp.WSURLReadTimeout(time.Minute))
	if os.Getuid() == 0 { // Chromium has no sandbox for root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := context.WithTimeout(context.Background(), 90*time.Second)
	t.Cleanup(stop)
	ctx, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stopAllocator)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page's script failed: %s", e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			t.Errorf("the browser complains: %s %s", e.Entry.Text, e.Entry.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, ctx}
}

// do runs what a person does.
func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, action := range actions {
		if err := chromedp.Do(b.ctx, action); err != nil {
			b.t.Fatal(err)
		}
	}
}

// find returns what an expression in the page's JavaScript is worth.
func find[T any](b *browser, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// sees waits until the text of an element has another in it.
func (b *browser) sees(selector, want string) {
	b.t.Helper()
	expression := fmt.Sprintf("document.querySelector(%q).innerText.includes(%q)", selector, want)
	for deadline := time.Now().Add(20 * time.Second); !find[bool](b, expression); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s does not show %q but\n%s", selector, want, find[string](b, fmt.Sprintf("document.querySelector(%q).innerText", selector)))
		}
	}
}

// screenshot keeps a picture for who runs the tests with -artifacts.
func (b *browser) screenshot(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.t.ArtifactDir(), name), picture, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

const stuck = chromedp.CSS("#fault-jwks-stuck")

func TestPageInABrowser(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	b := newBrowser(t)
	b.do(chromedp.Navigate(s.URL()))
	for _, want := range []string{"alice@example.test", "bob@example.test", "Alice Archer", s.DatabaseURL(), s.DatabaseID(), s.Clerk.ID(), "None yet."} {
		b.sees("main", want)
	}

	// A request appears while the page is open, with who and why.
	find[bool](b, "window.untouched = true")
	query(t, s, s.DatabaseURL(), devstacktest.Token(t, s, "bob@example.test", devstack.Template), "SELECT * FROM missing")
	b.sees("#requests", "no such table: missing")
	b.sees("#requests .from", "bob@example.test")

	// A switch works without loading the page anew, and what it breaks is seen.
	b.do(chromedp.Click(stuck))
	b.sees("#state", "1 fault is on")
	b.sees("#registrations", "auth0 New")
	if !s.Faults.On(fault.JWKSStuck) {
		t.Error("the fault is off")
	}
	query(t, s, s.DatabaseURL(), devstacktest.Token(t, s, "alice@example.test", devstack.Template), "SELECT 1")
	b.sees("#requests", "401 refused")
	b.sees("#requests", "can't be decoded with any of the existing keys")
	if !find[bool](b, "window.untouched === true") {
		t.Error("the page was loaded anew")
	}
	b.screenshot("page.png")

	// The keyboard is as good as the mouse, and stays where it was.
	b.do(chromedp.Focus(stuck), chromedp.KeyEvent(" "))
	b.sees("#state", "Everything works")
	if got := find[string](b, "document.activeElement.id"); got != "fault-jwks-stuck" {
		t.Errorf("the focus went to %q", got)
	}

	// Without JavaScript it reads, and switches, too.
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(s.URL()), chromedp.Click(stuck), chromedp.WaitVisible(chromedp.CSS("#faults li.on")))
	b.sees("#requests", "401 refused")
	if at := find[string](b, "location.href"); at != s.URL()+"/#faults" || !s.Faults.On(fault.JWKSStuck) {
		t.Errorf("without JavaScript: the fault is %v, at %s", s.Faults.On(fault.JWKSStuck), at)
	}
}

func TestPageFitsIn(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	b := newBrowser(t)
	const ground = "getComputedStyle(document.body).backgroundColor"
	b.do(chromedp.Navigate(s.URL()))
	light := find[string](b, ground)
	dark := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, dark); err != nil {
		t.Fatal(err)
	}
	if got := find[string](b, ground); got == light {
		t.Errorf("the ground is %s by day and by night", got)
	}
	b.screenshot("dark.png")
	b.do(chromedp.EmulateViewport(390, 800))
	b.screenshot("narrow.png")
	if width := find[int](b, "document.documentElement.scrollWidth"); width > 390 {
		t.Errorf("the page is %d pixels wide in a window of 390", width)
	}
}
