package app

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
)

//go:embed page
var files embed.FS

var pages = parsePages("home", "sign-in", "bridge", "error")

func parsePages(names ...string) map[string]*template.Template {
	parsed := map[string]*template.Template{}
	for _, name := range names {
		parsed[name] = template.Must(template.ParseFS(files, "page/layout.html", "page/"+name+".html"))
	}
	return parsed
}

// secure sets the headers that every answer has. Chromium applies form-action to
// the redirect that follows a form, too, so the bridge page names the terminal's
// origin there.
func secure(w http.ResponseWriter, formTarget string) {
	action := "'self'"
	if formTarget != "" {
		action += " " + formTarget
	}
	h := w.Header()
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; form-action "+action+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

// render writes a page. It is complete before its first byte goes out, so that a
// page never breaks off in the middle.
func (a *App) render(w http.ResponseWriter, status int, name, title, formTarget string, content any) {
	var body bytes.Buffer
	data := struct {
		App, Title string
		Content    any
	}{a.opts.Name, title, content}
	if err := pages[name].ExecuteTemplate(&body, "layout", data); err != nil {
		a.opts.Logger.Error("app: render page", "page", name, "error", err)
		http.Error(w, "internal server error", http.StatusInternalServerError)
		return
	}
	secure(w, formTarget)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body.Bytes())
}

// fail shows what went wrong and, where there is something, what to do.
func (a *App) fail(w http.ResponseWriter, status int, title, text string) {
	a.render(w, status, "error", title, "", struct{ Heading, Text string }{title, text})
}

// clerkDown tells that Clerk did not do what the app needs of it. A refusal is
// shown in Clerk's words, anything else only in the log.
func (a *App) clerkDown(w http.ResponseWriter, err error) {
	a.opts.Logger.Warn("app: clerk", "error", err)
	text := "Clerk did not answer. Try again in a moment."
	var refused *clerkError
	if errors.As(err, &refused) {
		text = "Clerk answered: " + refused.Text
	}
	a.fail(w, http.StatusBadGateway, "Clerk can't do this now", text)
}

func serveStyle(w http.ResponseWriter, r *http.Request) {
	style, err := files.ReadFile("page/style.css")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(style)
}
