package devstack_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/chromiumtest"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/fault"
)

const stuck = chromedp.CSS("#fault-jwks-stuck")

func TestPageInABrowser(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	b := chromiumtest.Open(t)
	b.Do(chromedp.Navigate(s.URL()))
	for _, want := range []string{"alice@example.test", "bob@example.test", "Alice Archer", s.DatabaseURL(), s.DatabaseID(), s.Clerk.ID(), "None yet."} {
		b.Sees("main", want)
	}

	// A request appears while the page is open, with its sender and reason.
	chromiumtest.Find[bool](b, "window.untouched = true")
	query(t, s, s.DatabaseURL(), devstacktest.Token(t, s, "bob@example.test", devstack.Template), "SELECT * FROM missing")
	b.Sees("#requests", "no such table: missing")
	b.Sees("#requests .from", "bob@example.test")

	// A switch works without reloading the page, and its effect is shown.
	b.Do(chromedp.Click(stuck))
	b.Sees("#state", "1 fault is on")
	b.Sees("#registrations", "auth0 New")
	if !s.Faults.On(fault.JWKSStuck) {
		t.Error("the fault is off")
	}
	query(t, s, s.DatabaseURL(), devstacktest.Token(t, s, "alice@example.test", devstack.Template), "SELECT 1")
	b.Sees("#requests", "401 refused")
	b.Sees("#requests", "can't be decoded with any of the existing keys")
	if !chromiumtest.Find[bool](b, "window.untouched === true") {
		t.Error("the page was reloaded")
	}
	b.Screenshot("page.png")

	// The keyboard works like the mouse, and the focus stays where it was.
	b.Do(chromedp.Focus(stuck), chromedp.KeyEvent(" "))
	b.Sees("#state", "Everything works")
	if got := chromiumtest.Find[string](b, "document.activeElement.id"); got != "fault-jwks-stuck" {
		t.Errorf("the focus went to %q", got)
	}

	// Without JavaScript the page and its switches work, too.
	if _, err := chromedp.Call(b.Context(), emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.Navigate(s.URL()), chromedp.Click(stuck), chromedp.WaitVisible(chromedp.CSS("#faults li.on")))
	b.Sees("#requests", "401 refused")
	if at := chromiumtest.Find[string](b, "location.href"); at != s.URL()+"/#faults" || !s.Faults.On(fault.JWKSStuck) {
		t.Errorf("without JavaScript: the fault is %v, at %s", s.Faults.On(fault.JWKSStuck), at)
	}
}

func TestPageFitsIn(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	b := chromiumtest.Open(t)
	const ground = "getComputedStyle(document.body).backgroundColor"
	b.Do(chromedp.Navigate(s.URL()))
	light := chromiumtest.Find[string](b, ground)
	dark := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}
	if _, err := chromedp.Call(b.Context(), emulation.SetEmulatedMedia, dark); err != nil {
		t.Fatal(err)
	}
	if got := chromiumtest.Find[string](b, ground); got == light {
		t.Errorf("the background is %s in both light and dark mode", got)
	}
	b.Screenshot("dark.png")
	b.Do(chromedp.EmulateViewport(390, 800))
	b.Screenshot("narrow.png")
	if width := chromiumtest.Find[int](b, "document.documentElement.scrollWidth"); width > 390 {
		t.Errorf("the page is %d pixels wide in a window of 390", width)
	}
}
