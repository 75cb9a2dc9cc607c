// Package app is the customer's application of the local stack: a small web app
// whose users sign in with Clerk, and which owns the bridge page that signs a
// terminal in.
//
// It uses Clerk as any customer does, over HTTP: the Frontend API to check who signs in,
// the Backend API with the secret key to make a ticket. Nothing in it is specific to the
// local instance.
//
// # The bridge page
//
// A command-line program opens
//
//	/app/cli?redirect_uri=http://127.0.0.1:PORT/callback&state=S&code=WXYZ-2345&client=NAME&mode=ticket
//
// in a browser. The page asks for sign-in, shows who is signed in and the code
// to compare with the terminal, and waits for a press of "Authorise this
// terminal". It then answers 303 to redirect_uri with state and either
//
//   - ticket: a one-time Clerk sign-in token of at most a minute (mode=ticket,
//     the default), which the program exchanges at the Frontend API; or
//   - token: a JWT from the app's JWT template (mode=token), which can be used
//     as it is and neither refreshed nor revoked; or
//   - error=access_denied, when the person pressed Cancel.
//
// redirect_uri is http on 127.0.0.1 or [::1], with a port and the path
// /callback, and nothing else: the page sends tickets to this machine alone
// (RFC 8252, section 7.3). state is 16 to 256 URL-safe characters. Anything else
// is refused with a page, never with a redirect.
package app

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/portal"
)

// Bounds of a ticket's lifetime: long enough for a slow redirect, short enough that a
// ticket found in a browser's history is worthless.
const (
	minTicketLifetime     = 20 * time.Second
	maxTicketLifetime     = 60 * time.Second
	defaultTicketLifetime = 30 * time.Second
)

// Options shape the app.
type Options struct {
	// Name is the app's name. Default: "Acme Notes".
	Name string
	// FrontendAPI is the Clerk instance's address, without a trailing slash.
	FrontendAPI string
	// BackendAPI is the Backend API's base URL up to and including /v1.
	BackendAPI string
	// SecretKey opens the Backend API.
	SecretKey string
	// Template is the JWT template of mode=token. Default: "turso".
	Template string
	// TicketLifetime is 20 to 60 seconds. Default: 30.
	TicketLifetime time.Duration
	// Accounts can sign in with one click. They are for development: the app uses their
	// passwords.
	Accounts []Account
	// Client makes the calls to Clerk. Default: one with a timeout of 10 s.
	Client *http.Client
	// Now is the clock of the app's own sessions. Default: time.Now.
	Now func() time.Time
	// Logger gets what the pages don't show. Default: slog.Default().
	Logger *slog.Logger
}

// Account is a development user that the sign-in page offers.
type Account struct {
	Name     string
	Email    string
	Password string
}

// App is the application. It is safe for concurrent use.
type App struct {
	opts     Options
	clerk    *clerkAPI
	sessions *sessions
	site     *portal.Site
	handler  http.Handler
}

// New makes the app. It fails without Clerk's addresses.
func New(opts Options) (*App, error) {
	for name, value := range map[string]string{"FrontendAPI": opts.FrontendAPI, "BackendAPI": opts.BackendAPI} {
		if u, err := url.Parse(value); err != nil || u.Host == "" || strings.HasSuffix(value, "/") {
			return nil, fmt.Errorf("app: %s %q: want a URL without a trailing slash", name, value)
		}
	}
	if opts.SecretKey == "" {
		return nil, errors.New("app: SecretKey: want the instance's sk_ key")
	}
	opts.Name = cmp.Or(opts.Name, "Acme Notes")
	opts.Template = cmp.Or(opts.Template, "turso")
	opts.TicketLifetime = cmp.Or(opts.TicketLifetime, defaultTicketLifetime)
	if opts.TicketLifetime < minTicketLifetime || opts.TicketLifetime > maxTicketLifetime {
		return nil, fmt.Errorf("app: ticket lifetime %s: want %s to %s", opts.TicketLifetime, minTicketLifetime, maxTicketLifetime)
	}
	if opts.Client == nil {
		opts.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	site, err := newSite(opts.Name, opts.Logger)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	a := &App{
		opts:     opts,
		clerk:    &clerkAPI{frontend: opts.FrontendAPI, backend: opts.BackendAPI, secretKey: opts.SecretKey, client: opts.Client},
		sessions: newSessions(opts.Now),
		site:     site,
	}
	a.handler = a.routes()
	return a, nil
}

// Pattern is the http.ServeMux pattern of everything that Handler serves.
const Pattern = "/app/"

// Paths of the pages that others link to.
const (
	SignInPath = "/app/sign-in"
	BridgePath = "/app/cli"
)

// Handler serves the app under /app/.
func (a *App) Handler() http.Handler { return a.handler }

func (a *App) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /app/{$}", a.home)
	mux.HandleFunc("GET "+SignInPath, a.showSignIn)
	mux.HandleFunc("POST "+SignInPath, a.signIn)
	mux.HandleFunc("POST /app/sign-out", a.signOut)
	mux.HandleFunc("GET "+BridgePath, a.showBridge)
	mux.HandleFunc("POST "+BridgePath, a.answerBridge)
	mux.HandleFunc("GET "+stylePath, portal.Style)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.site.Fail(w, http.StatusNotFound, "There is no such page", "The address "+r.URL.Path+" leads nowhere.")
	})
	// A second guard beside the tokens in the forms: what a browser marks as
	// coming from another site is refused before anything reads it.
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.site.Fail(w, http.StatusForbidden, "This came from another site", "Nothing was done. Open the page again from your terminal.")
	}))
	return limitBody(crossOrigin.Handler(mux))
}

// limitBody limits a form; the largest legitimate one is a few hundred bytes.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		next.ServeHTTP(w, r)
	})
}
