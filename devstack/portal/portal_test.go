package portal_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/zen-auth/zen/devstack/portal"
)

// TestPages checks that every page renders, shows its values as text and not as markup,
// and can neither be framed nor load anything from other sites.
func TestPages(t *testing.T) {
	const evil = `<script>alert("x")</script>`
	site := portal.New(portal.Options{Brand: evil, Footer: "Foot", StylePath: "/style.css", Pages: fstest.MapFS{
		"own.html": {Data: []byte(`{{define "content"}}<p>own {{.}}</p>{{end}}`)},
	}})
	hidden := []portal.Field{{Name: "state", Value: evil}}
	for name, tt := range map[string]struct {
		draw func(w http.ResponseWriter)
		want string
	}{
		"sign in": {func(w http.ResponseWriter) {
			site.SignIn(w, 422, "", portal.SignIn{Action: "/in", Hidden: hidden, Email: evil, Problem: evil, OfferCode: true,
				Accounts: []portal.Account{{Name: evil, Email: "a@b.test"}}})
		}, `value="a@b.test"`},
		"ask for the code": {func(w http.ResponseWriter) {
			site.SignIn(w, 200, "", portal.SignIn{Action: "/in", Hidden: hidden, Email: evil, AskCode: true})
		}, `autocomplete="one-time-code"`},
		"ask": {func(w http.ResponseWriter) {
			site.Ask(w, "http://127.0.0.1:1", portal.Ask{Heading: evil, Lead: evil, Note: evil, Action: "/ask", Hidden: hidden, Yes: evil,
				Facts: []portal.Fact{{Term: evil, Value: evil}, {Term: "Code", Value: "WXYZ", Compare: true}}})
		}, `<output class="code">WXYZ</output>`},
		"choose": {func(w http.ResponseWriter) {
			site.Choose(w, "", portal.Choose{Heading: evil, Lead: evil, Action: "/choose", Hidden: hidden, Name: "organization",
				Choices: []portal.Choice{{Value: "org_1", Text: evil, Detail: evil}}})
		}, `name="organization" value="org_1"`},
		"done": {func(w http.ResponseWriter) { site.Done(w, evil, evil) }, "&lt;script&gt;"},
		"fail": {func(w http.ResponseWriter) { site.Fail(w, 400, evil, evil) }, `role="alert"`},
		"own":  {func(w http.ResponseWriter) { site.Render(w, 200, "own", "Own", "", evil) }, "<p>own &lt;script&gt;"},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tt.draw(w)
			page := w.Body.String()
			if !strings.Contains(page, tt.want) || !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
				t.Errorf("page %s", page)
			}
			if strings.Contains(page, "<script") {
				t.Error("a value was rendered as markup")
			}
			policy := w.Header().Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", w.Header())
			}
			if name == "ask" != strings.Contains(policy, "form-action 'self' http://127.0.0.1:1;") {
				t.Errorf("policy %s", policy)
			}
		})
	}
}

func TestRedirectWritesNoPage(t *testing.T) {
	w := httptest.NewRecorder()
	portal.Redirect(w, "http://127.0.0.1:1/callback?code=s3cret")
	if w.Code != http.StatusSeeOther || w.Body.Len() != 0 || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("answer %d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestStyle(t *testing.T) {
	w := httptest.NewRecorder()
	portal.Style(w, httptest.NewRequest(http.MethodGet, "/style.css", nil))
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") || !strings.Contains(w.Body.String(), "prefers-color-scheme") {
		t.Errorf("style %v", w.Header())
	}
}
