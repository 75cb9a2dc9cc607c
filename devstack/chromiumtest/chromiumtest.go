// Package chromiumtest lets tests check pages in a real browser, a headless Chromium.
// Without Chromium a test is skipped, or fails in CI, which should have it; in a short
// run it is skipped, too.
package chromiumtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to show something.
const patience = 20 * time.Second

// Tab is a browser with one tab, for one test.
type Tab struct {
	t        *testing.T
	ctx      context.Context
	expected atomic.Value // part of the expected console errors
	seen     atomic.Bool  // whether there was one
}

// Open starts a browser that ends with the test. Any console error, such as a violation
// of a page's policy, fails the test.
func Open(t *testing.T) *Tab {
	t.Helper()
	if testing.Short() {
		t.Skip("make test-all runs the browser tests")
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
		t.Skip("SKIPPED: chromium is missing, so the page isn't checked. scripts/install-test-tools.sh installs it.")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1440, 1250), chromedp.WSURLReadTimeout(time.Minute))
	if os.Getuid() == 0 { // Chromium has no sandbox for root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(stop)
	ctx, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stopAllocator)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &Tab{t: t, ctx: ctx}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page's script failed: %s", e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if part, _ := b.expected.Load().(string); part != "" && strings.Contains(e.Entry.Text, part) {
				b.seen.Store(true)
				return
			}
			t.Errorf("the browser reports: %s %s", e.Entry.Text, e.Entry.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Expect ignores console errors that contain this text.
func (b *Tab) Expect(part string) {
	b.seen.Store(false)
	b.expected.Store(part)
}

// Complains waits for an expected console error.
func (b *Tab) Complains() {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !b.seen.Load(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("the browser reports no error with %q", b.expected.Load())
		}
	}
}

// Context returns the tab's context, for chromedp.
func (b *Tab) Context() context.Context { return b.ctx }

// Do performs actions, as a person would.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, action := range actions {
		if err := chromedp.Do(b.ctx, action); err != nil {
			b.t.Fatal(err)
		}
	}
}

// Find returns the value of a JavaScript expression in the page.
func Find[T any](b *Tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Sees waits until the text of an element contains another text. A page that is being
// replaced has neither.
func (b *Tab) Sees(selector, want string) {
	b.t.Helper()
	text := fmt.Sprintf("(document.querySelector(%q)?.innerText ?? '')", selector)
	for deadline := time.Now().Add(patience); !Find[bool](b, fmt.Sprintf("%s.includes(%q)", text, want)); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s of %s does not show %q but\n%s", selector, Find[string](b, "location.href"), want, Find[string](b, text))
		}
	}
}

// Press clicks the button with that label.
func (b *Tab) Press(label string) {
	b.t.Helper()
	b.Sees("main", label)
	found := Find[bool](b, fmt.Sprintf(`(() => {
		const button = [...document.querySelectorAll("main button")].find((one) => one.innerText.includes(%q));
		button?.setAttribute("data-pressed", "");
		return Boolean(button);
	})()`, label))
	if !found {
		b.t.Fatalf("%s has no button %q", Find[string](b, "location.href"), label)
	}
	b.Do(chromedp.Click(chromedp.CSS("[data-pressed]")))
}

// Type types into the field with that name.
func (b *Tab) Type(name, text string) {
	b.t.Helper()
	b.Do(chromedp.SendKeys(chromedp.CSS(fmt.Sprintf("[name=%q]", name)), text))
}

// Screenshot saves a picture when tests run with -artifacts.
func (b *Tab) Screenshot(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.t.ArtifactDir(), name), picture, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}
