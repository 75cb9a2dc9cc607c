// Package portal renders the pages at which a person signs in and answers: a sign-in
// page, a page that asks, a page that says what went wrong. A site adds its own pages.
// They work without JavaScript and load nothing from other sites.
package portal

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
)

//go:embed page
var files embed.FS

// Options shape a site.
type Options struct {
	// Brand is the site's name, above every page; Footer stands below.
	Brand, Footer string
	// StylePath is the path at which the site serves [Style].
	StylePath string
	// Pages holds NAME.html, each defining "content". Nil means none.
	Pages fs.FS
	// Logger gets what the pages don't show. Default: slog.Default().
	Logger *slog.Logger
}

// Site draws pages. It is safe for concurrent use.
type Site struct {
	opts  Options
	pages map[string]*template.Template
}

// New parses a site's pages. A page that doesn't parse is a programming error and panics.
func New(opts Options) *Site {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	own, err := fs.Sub(files, "page")
	if err != nil {
		panic(err)
	}
	s := &Site{opts: opts, pages: map[string]*template.Template{}}
	layout := template.Must(template.ParseFS(own, "layout.html"))
	for _, source := range []fs.FS{own, opts.Pages} {
		if source == nil {
			continue
		}
		names, err := fs.Glob(source, "*.html")
		if err != nil {
			panic(err)
		}
		for _, name := range names {
			page := template.Must(layout.Clone())
			s.pages[name] = template.Must(page.ParseFS(source, name))
		}
	}
	return s
}

// Secure sets the headers that every answer to a browser has. Chromium applies
// form-action to the redirect that follows a form, too, so a page whose answer
// goes to another origin names that origin as formTarget.
func Secure(w http.ResponseWriter, formTarget string) {
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

// Redirect sends a browser to an address that may hold a secret. http.Redirect
// would write the address into a page.
func Redirect(w http.ResponseWriter, to string) {
	Secure(w, "")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// Render writes the page NAME.html. It is complete before its first byte goes
// out, so that a page never breaks off in the middle.
func (s *Site) Render(w http.ResponseWriter, status int, name, title, formTarget string, content any) {
	var body bytes.Buffer
	data := struct {
		Brand, Footer, Style, Title string
		Content                     any
	}{s.opts.Brand, s.opts.Footer, s.opts.StylePath, title, content}
	if err := s.pages[name+".html"].ExecuteTemplate(&body, "layout", data); err != nil {
		s.opts.Logger.Error("render page", "site", s.opts.Brand, "page", name, "error", err)
		http.Error(w, "internal server error", http.StatusInternalServerError)
		return
	}
	Secure(w, formTarget)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body.Bytes())
}

// Fail shows what went wrong and, if there is something, what to do.
func (s *Site) Fail(w http.ResponseWriter, status int, heading, text string) {
	s.Render(w, status, "error", heading, "", struct{ Heading, Text string }{heading, text})
}

// Style serves the style sheet.
func Style(w http.ResponseWriter, r *http.Request) {
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

// Guard refuses requests from other sites' pages: a second protection in addition to the
// unguessable names in the forms.
func (s *Site) Guard(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Fail(w, http.StatusForbidden, "This came from another site", "Nothing was done.")
	}))
	return crossOrigin.Handler(next)
}
