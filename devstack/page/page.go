// Package page is the stack's page: who can sign in, which keys and databases
// there are, what was issued, what was refused and why, and the fault switches.
//
// It reads without JavaScript; with it, it keeps itself up to date. Nothing on it
// is a secret, and nothing but the switches can be changed with it. As the stack
// is on loopback, where every page of every site can send requests to it, a switch
// wants the token of this page, no sign of another site, and a loopback Host: a
// name that was made to point here (DNS rebinding) is not answered at all.
package page

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/traffic"
)

// Content is the content of the page.
type Content struct {
	URL           string    // of the stack
	Now           time.Time // by the stack's clock
	Facts         []Fact
	Faults        []FaultGroup
	Users         []User
	Keys          []Key
	Registrations []Registration
	Databases     []Database
	Tokens        []traffic.Token   // newest first
	Requests      []traffic.Request // newest first
}

// Fact is a value that a person may want to copy, or a page to open.
type Fact struct {
	Name, Value string
	Link        bool
}

// FaultGroup are the faults of one part of the stack.
type FaultGroup struct {
	Name   string
	Faults []Fault
}

// On counts the faults that are on.
func (g FaultGroup) On() (n int) {
	for _, f := range g.Faults {
		if f.On {
			n++
		}
	}
	return n
}

// Fault is a switch.
type Fault struct {
	Name    string
	Summary string
	On      bool
}

// User is a person who can sign in.
type User struct {
	Name, Email, ID string
	Where           string // "Clerk", "Auth0" or "Turso"
	Organizations   []string
	Sessions        int
}

// Key is a public key that tokens are verified with.
type Key struct {
	Owner string
	ID    string // kid; may be empty
	Use   string
}

// Registration is a key set whose tokens an organization's databases accept.
type Registration struct{ Organization, Name, URL, Region string }

// Database is a database and what was done with it.
type Database struct {
	Organization, Name, URL, ID string
	RowsRead, RowsWritten       int64
	Bytes                       int64
}

// Options configure the page.
type Options struct {
	// Content returns what there is to show now.
	Content func() Content
	// Switch turns a fault on or off.
	Switch func(name string, on bool) error
}

// Patterns returns the http.ServeMux patterns of everything that Handler serves.
func Patterns() []string { return []string{"/{$}", Prefix} }

// Prefix is the beginning of all paths but the page's own, which is /.
const Prefix = "/_zen/page/"

//go:embed files
var files embed.FS

// layout is parsed when it is first needed: most runs of zen show no page.
var layout = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.html").Funcs(functions).ParseFS(files, "files/page.html"))
})

// Handler serves the page.
func Handler(options Options) http.Handler {
	h := &handler{options, rand.Text()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.show)
	mux.HandleFunc("POST "+Prefix+"switch", h.flip)
	for name, kind := range map[string]string{
		"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		mux.HandleFunc("GET "+Prefix+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			http.ServeFileFS(w, r, files, "files/"+name)
		})
	}
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "this came from another site: nothing was switched", http.StatusForbidden)
	}))
	return secure(Loopback(crossOrigin.Handler(mux)))
}

type handler struct {
	Options
	token string // of every form
}

func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "+
			"img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, 4096)
		next.ServeHTTP(w, r)
	})
}

// show renders the page completely before its first byte goes out.
func (h *handler) show(w http.ResponseWriter, _ *http.Request) {
	var body bytes.Buffer
	content := h.Content()
	err := layout().Execute(&body, struct {
		Content
		Token string
		On    int
	}{content, h.token, switchedOn(content.Faults)})
	if err != nil {
		http.Error(w, "the page can't be rendered: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes()) // the browser is gone
}

func switchedOn(groups []FaultGroup) (n int) {
	for _, g := range groups {
		n += g.On()
	}
	return n
}

// flip turns one switch and shows the page again.
func (h *handler) flip(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.PostFormValue("token")), []byte(h.token)) != 1 {
		http.Error(w, "this form is not of this run of the stack: load the page again", http.StatusForbidden)
		return
	}
	on := r.PostFormValue("on")
	if on != "true" && on != "false" {
		http.Error(w, "on is true or false", http.StatusBadRequest)
		return
	}
	if err := h.Switch(r.PostFormValue("name"), on == "true"); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	http.Redirect(w, r, "/#faults", http.StatusSeeOther)
}
