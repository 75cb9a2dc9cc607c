package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/zen-auth/zen/devstack/chromiumtest"
)

// faults is what is wrong with the page that is shown, as far as a program can tell.
const faults = `(() => {
	const faults = [];
	const wrong = (text, element) => faults.push(element ? text + ": " + element.outerHTML.slice(0, 120) : text);
	if (document.documentElement.lang !== "en") wrong("no language");
	if (!document.title.trim()) wrong("no title");
	if (document.documentElement.scrollWidth > innerWidth) wrong("the page is " + document.documentElement.scrollWidth + " pixels wide");
	for (const name of ["header", "main", "footer"])
		if (document.querySelectorAll("body > " + name + ", body > .columns > " + name).length !== 1) wrong("not one " + name);
	for (const nav of document.querySelectorAll("nav")) if (!nav.getAttribute("aria-label")) wrong("a nav without a name", nav);
	let level = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
		const next = Number(h.tagName[1]);
		if (next > level + 1) wrong("a level is left out", h);
		level = next;
	}
	if (document.querySelectorAll("h1").length !== 1) wrong("not one h1");
	const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
	for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong("two have the id " + id);
	for (const one of document.querySelectorAll("img")) {
		if (!one.hasAttribute("alt")) wrong("a picture without text", one);
		if (!one.complete || one.naturalWidth === 0) wrong("a picture that isn't there", one);
	}
	for (const one of document.querySelectorAll("a, button"))
		if (!(one.getAttribute("aria-label") || one.textContent).trim()) wrong("nameless", one);

	// Contrast as WCAG 2 has it: 4.5, or 3 for large text.
	const parts = (color) => color.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => {
		const [x, y, z] = [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
		return 0.2126 * x + 0.7152 * y + 0.0722 * z;
	};
	const ground = (element) => {
		for (let e = element; e; e = e.parentElement) {
			const color = parts(getComputedStyle(e).backgroundColor);
			if (color.length === 3 || color[3] > 0) return color;
		}
		return [255, 255, 255];
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const element = texts.currentNode.parentElement;
		if (!texts.currentNode.data.trim() || element.closest("script") || element.getClientRects().length === 0) continue;
		const style = getComputedStyle(element);
		const size = parseFloat(style.fontSize);
		const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
		const [a, b] = [luminance(parts(style.color)), luminance(ground(element))].sort((x, y) => y - x);
		const contrast = (a + 0.05) / (b + 0.05);
		if (contrast < (large ? 3 : 4.5)) wrong("a contrast of " + contrast.toFixed(2), element);
	}
	return faults;
})()`

// TestSiteInABrowser looks at every page by day and by night, wide and narrow.
func TestSiteInABrowser(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) { everyPage(t, scheme) })
	}
}

func everyPage(t *testing.T, scheme string) {
	s, server, b := served(t)
	var requested []string
	err := chromedp.Listen(b.Context(), func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(e.Request.URL, server) {
			requested = append(requested, e.Request.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(b.Context(), network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	emulate(t, b, scheme)
	pages := append([]*page{s.pages["README.md"], s.pages[contents], s.pages["docs/errors/turso.jwks.key-refused.md"]}, s.order...)
	titles := make(map[string]string)
	for _, width := range []int{1280, 320} {
		b.Do(chromedp.EmulateViewport(int64(width), 1400))
		for _, p := range pages {
			b.Do(chromedp.Navigate(server + "/" + p.target))
			for _, fault := range chromiumtest.Find[[]string](b, faults) {
				t.Errorf("%s, %d pixels: %s", p.target, width, fault)
			}
			title := chromiumtest.Find[string](b, "document.title")
			if other, taken := titles[title]; taken && other != p.target {
				t.Errorf("%s and %s have the title %q", p.target, other, title)
			}
			titles[title] = p.target
			if slices.Contains([]string{"README.md", "docs/clerk.md", "docs/benchmarks.md", "docs/doctor.md", "docs/tutorials/go.md"}, p.source) {
				b.Screenshot(fmt.Sprintf("%s-%s-%d.png", path.Base(strings.TrimSuffix(p.target, ".html")), scheme, width))
			}
		}
	}
	if len(requested) > 0 {
		t.Errorf("pages ask elsewhere: %q", requested)
	}
}

// TestSiteByKeyboard goes through a page, its menu and the search without a mouse.
func TestSiteByKeyboard(t *testing.T) {
	_, server, b := served(t)
	b.Do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server+"/clerk.html"))
	const at = "(document.activeElement.id || document.activeElement.className || document.activeElement.textContent).trim()"
	b.Do(chromedp.KeyEvent("\t"))
	if got := chromiumtest.Find[string](b, at); got != "skip" {
		t.Errorf("the first stop is %q", got)
	}
	for stop := range 60 {
		fault := chromiumtest.Find[string](b, `(() => {
			const e = document.activeElement, box = e.getBoundingClientRect();
			if (e === document.body) return "nothing has the focus";
			if (getComputedStyle(e).outlineStyle === "none") return "the focus isn't seen";
			if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth) return "the focus is out of sight";
			return "";
		})()`)
		if fault != "" {
			t.Errorf("stop %d, %s: %s", stop, chromiumtest.Find[string](b, at), fault)
		}
		b.Do(chromedp.KeyEvent("\t"))
	}

	b.Do(chromedp.KeyEvent("/"))
	if got := chromiumtest.Find[string](b, at); got != "query" {
		t.Fatalf("/ leads to %q", got)
	}
	chromiumtest.Find[string](b, `document.activeElement.value = ""`) // chromedp types the key all the same
	b.Do(chromedp.KeyEvent("registration region"))
	b.Sees("#found", "Why a 401? › Registrations")
	for _, fault := range chromiumtest.Find[[]string](b, faults) {
		t.Errorf("while searching: %s", fault)
	}
	b.Screenshot("search.png")
	b.Do(chromedp.KeyEvent(kb.ArrowDown))
	want := chromiumtest.Find[string](b, `document.querySelector("#found a").href`)
	if got := chromiumtest.Find[string](b, "document.activeElement.href ?? ''"); got != want {
		t.Errorf("down leads to %q, want %q", got, want)
	}
	b.Do(chromedp.KeyEvent(kb.Escape))
	if !chromiumtest.Find[bool](b, `document.getElementById("found").hidden`) {
		t.Error("escape leaves the list")
	}

	// Narrow, what is found is all on the screen, and the pages are behind a button.
	b.Do(chromedp.EmulateViewport(320, 700), chromedp.Navigate(server+"/clerk.html"), chromedp.Focus(chromedp.CSS("#query")), chromedp.KeyEvent("region"))
	b.Sees("#found", "sections")
	if box := chromiumtest.Find[[]float64](b, `(({left, right}) => [left, right])(document.getElementById("found").getBoundingClientRect())`); box[0] < 0 || box[1] > 320 {
		t.Errorf("the list is at %v of 320 pixels", box)
	}
	b.Do(chromedp.Navigate(server + "/clerk.html"))
	const shown = `document.getElementById("pages").getClientRects().length > 0`
	if chromiumtest.Find[bool](b, shown) {
		t.Error("the pages are shown before anybody asks")
	}
	b.Do(chromedp.Focus(chromedp.CSS(".menu")), chromedp.KeyEvent("\r"))
	if !chromiumtest.Find[bool](b, shown) {
		t.Error("the button doesn't show the pages")
	}
	for _, fault := range chromiumtest.Find[[]string](b, faults) {
		t.Errorf("in the menu: %s", fault)
	}
	b.Screenshot("menu.png")
	b.Do(chromedp.KeyEvent(kb.Escape))
	if chromiumtest.Find[bool](b, shown) {
		t.Error("escape leaves the pages")
	}
}

// served returns the site at an address, and a browser.
func served(t *testing.T) (*site, string, *chromiumtest.Tab) {
	t.Helper()
	b := chromiumtest.Open(t)
	s, dir := build(t)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return s, server.URL, b
}

func emulate(t *testing.T, b *chromiumtest.Tab, scheme string) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.Context(), emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
}
