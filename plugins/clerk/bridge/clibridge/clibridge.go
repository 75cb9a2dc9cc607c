// Package clibridge is a page at which an app's users authorise a terminal that signs in
// with zen and Clerk. Copy this file and change it as you like; it needs only the
// standard library.
//
//	http.Handle("/cli", &clibridge.Bridge{
//		URL:       "https://app.example/cli",
//		SignInURL: "https://app.example/sign-in",
//		SecretKey: os.Getenv("CLERK_SECRET_KEY"),
//		SignedIn: func(r *http.Request) (clibridge.Person, bool) {
//			// as everywhere else in the app
//		},
//	})
package clibridge

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	ticketLifetime = 30 * time.Second // long enough for a redirect
	formLifetime   = 10 * time.Minute

	ticketsAlone = "This page hands over tickets alone (--method bridge)."

	acting = "You act as somebody else here, and a terminal would be that person. Sign in as yourself."
)

// Person is the person who is signed in to the app.
type Person struct {
	UserID string // Clerk's: user_...
	Name   string // for the page, such as an e-mail address
	// Acting is true where another person acts as this one (the claim act of the
	// session): a terminal would be signed in as that person for a week.
	Acting bool
	// SessionID is the session's (the claim sid), for --method redirect: a token is made
	// from it. Without it the page hands over only tickets.
	SessionID string
	// Organization is the one that is active in the session, if any: zen status shows it
	// after --method redirect.
	Organization Organization
}

// Organization is a person's organization, by the claims of their session.
type Organization struct{ ID, Slug, Role string }

// Bridge is the page. It answers GET and POST at one address, and is stateless.
type Bridge struct {
	// URL is the page's own address, as browsers see it.
	URL string
	// SignInURL is the page at which a person signs in; it gets the way back as redirect_url.
	SignInURL string
	// SecretKey is the Clerk instance's, sk_....
	SecretKey string
	// SignedIn says who sends a request, and whether they are signed in.
	SignedIn func(r *http.Request) (Person, bool)

	Template   string           // of the tokens of --method redirect; "" means turso
	BackendURL string           // of Clerk; "" means https://api.clerk.com
	Client     *http.Client     // nil has a time-out of 10 s
	Now        func() time.Time // nil is time.Now
}

// ServeHTTP implements http.Handler.
func (b *Bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	// The form's POST would have no Origin with no-referrer.
	header.Set("Referrer-Policy", "same-origin")
	asked, err := read(r.URL.Query())
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		header.Set("Allow", "GET, POST")
		b.show(w, http.StatusMethodNotAllowed, page{Problem: "This page is opened, or answered by its buttons."})
	case err != nil: // before a person is asked to sign in, and never by a redirect
		b.show(w, http.StatusBadRequest, page{Problem: "This link can't be used: " + err.Error() + "."})
	case r.Method == http.MethodPost:
		b.answer(w, r, asked)
	default:
		b.ask(w, r, asked)
	}
}

// ask shows the page.
func (b *Bridge) ask(w http.ResponseWriter, r *http.Request, asked request) {
	who, ok := b.SignedIn(r)
	if !ok {
		to, err := url.Parse(b.SignInURL)
		if err != nil {
			b.fail(w, "SignInURL", err)
			return
		}
		query := to.Query()
		query.Set("redirect_url", b.URL+"?"+r.URL.RawQuery)
		to.RawQuery = query.Encode()
		http.Redirect(w, r, to.String(), http.StatusSeeOther)
		return
	}
	switch {
	case who.Acting:
		b.show(w, http.StatusForbidden, page{Problem: acting})
		return
	case asked.Token && who.SessionID == "":
		b.show(w, http.StatusBadRequest, page{Problem: ticketsAlone})
		return
	}
	b.show(w, http.StatusOK, page{Asked: asked, Name: who.Name, Token: b.token(who, asked, b.now().Add(formLifetime))})
}

// answer handles a click on a button.
func (b *Bridge) answer(w http.ResponseWriter, r *http.Request, asked request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	who, ok := b.SignedIn(r)
	switch decision := r.PostFormValue("decision"); {
	case !b.fromHere(r):
		b.show(w, http.StatusForbidden, page{Problem: "This came from another site. Nothing was authorised."})
	case !ok:
		b.show(w, http.StatusForbidden, page{Problem: "You are signed out. Nothing was authorised: start again from your terminal."})
	case who.Acting:
		b.show(w, http.StatusForbidden, page{Problem: acting})
	case !b.checks(r.PostFormValue("token"), who, asked):
		b.show(w, http.StatusForbidden, page{Problem: "This form is not yours, or older than ten minutes. Nothing was authorised: start again from your terminal."})
	case asked.Token && who.SessionID == "":
		b.show(w, http.StatusBadRequest, page{Problem: ticketsAlone})
	case decision == "authorise":
		grant := b.ticket
		if asked.Token {
			grant = b.databaseToken
		}
		answer, err := grant(r.Context(), who)
		if err != nil {
			b.fail(w, "authorise", err)
			return
		}
		asked.reply(w, answer)
	case decision == "cancel":
		asked.reply(w, url.Values{"error": {"access_denied"}})
	default:
		b.show(w, http.StatusBadRequest, page{Problem: "No decision was made. Start again from your terminal, and press one of the buttons."})
	}
}

// fromHere refuses requests that the browser marks as coming from another site.
func (b *Bridge) fromHere(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	own, err := url.Parse(b.URL)
	return err == nil && r.Header.Get("Origin") == own.Scheme+"://"+own.Host
}

// token returns the value that a form has to return: it is bound to this person and this
// request, and no one else can read it.
func (b *Bridge) token(who Person, asked request, end time.Time) string {
	until := strconv.FormatInt(end.Unix(), 10)
	return until + "." + hex.EncodeToString(b.mac(until, who.UserID, asked.RedirectURI, asked.State, asked.Code, asked.Client, strconv.FormatBool(asked.Token)))
}

func (b *Bridge) mac(parts ...string) []byte {
	mac := hmac.New(sha256.New, []byte(b.SecretKey))
	mac.Write([]byte("zen cli bridge\n" + strings.Join(parts, "\n"))) // none of them has a line break
	return mac.Sum(nil)
}

func (b *Bridge) checks(token string, who Person, asked request) bool {
	until, _, _ := strings.Cut(token, ".")
	end, err := strconv.ParseInt(until, 10, 64)
	return err == nil && b.now().Unix() < end && hmac.Equal([]byte(token), []byte(b.token(who, asked, time.Unix(end, 0))))
}

// ticket requests a sign-in token from Clerk, which can be used once.
func (b *Bridge) ticket(ctx context.Context, who Person) (url.Values, error) {
	ticket, err := b.clerk(ctx, "/v1/sign_in_tokens", map[string]any{"user_id": who.UserID, "expires_in_seconds": int(ticketLifetime / time.Second)})
	return url.Values{"ticket": {ticket}}, err
}

// databaseToken asks Clerk for a token of the session by the template. It is sent with
// what zen status shows about the person in addition to the token; no decision uses that.
func (b *Bridge) databaseToken(ctx context.Context, who Person) (url.Values, error) {
	template := cmp.Or(b.Template, "turso")
	token, err := b.clerk(ctx, "/v1/sessions/"+url.PathEscape(who.SessionID)+"/tokens/"+url.PathEscape(template), map[string]any{})
	answer := url.Values{"token": {token}}
	o := who.Organization
	for name, value := range map[string]string{"name": who.Name, "org_id": o.ID, "org_slug": o.Slug, "org_role": o.Role} {
		if value != "" {
			answer.Set(name, value)
		}
	}
	return answer, err
}

// clerk asks Clerk's Backend API for a token of some kind.
func (b *Bridge) clerk(ctx context.Context, path string, content map[string]any) (string, error) {
	base, client := b.BackendURL, b.Client
	if base == "" {
		base = "https://api.clerk.com"
	}
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	body, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+b.SecretKey)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var made struct {
		Token string `json:"token"`
		JWT   string `json:"jwt"`
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("no token: Clerk answered %s", res.Status)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&made); err != nil || made.Token+made.JWT == "" {
		return "", errors.New("no token in the answer of Clerk")
	}
	return made.Token + made.JWT, nil // it is one of them
}

// request is the request of a terminal.
type request struct {
	RedirectURI, Port, State, Code, Client string
	// Token is for mode=token: a token for databases, not a ticket.
	Token bool
}

// Each expression covers the whole text: no user, no query, no other host. Tickets are
// sent only to a program on this machine (RFC 8252, section 7.3).
var (
	redirectFormat = regexp.MustCompile(`^http://127\.0\.0\.1:([1-9][0-9]{0,4})/callback$`)
	stateFormat    = regexp.MustCompile(`^[A-Za-z0-9_.~-]{16,256}$`)
	codeFormat     = regexp.MustCompile(`^[A-Z0-9]{4}-[A-Z0-9]{4}$`)
	clientFormat   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$`)
)

func read(query url.Values) (request, error) {
	for _, name := range []string{"redirect_uri", "state", "code", "client", "mode"} {
		if len(query[name]) > 1 {
			return request{}, errors.New(name + " is there twice")
		}
	}
	asked := request{RedirectURI: query.Get("redirect_uri"), State: query.Get("state"), Code: query.Get("code"), Client: query.Get("client")}
	found := redirectFormat.FindStringSubmatch(asked.RedirectURI)
	if found == nil {
		return request{}, errors.New("redirect_uri is not http://127.0.0.1:PORT/callback, a program on your own machine")
	}
	asked.Port = found[1]
	port, _ := strconv.Atoi(asked.Port) // of digits
	switch mode := query.Get("mode"); {
	case port > 65535:
		return request{}, errors.New("redirect_uri has no port that there is")
	case !stateFormat.MatchString(asked.State):
		return request{}, errors.New("state is not of 16 to 256 URL-safe characters")
	case !codeFormat.MatchString(asked.Code):
		return request{}, errors.New("code does not look like WXYZ-2345")
	case !clientFormat.MatchString(asked.Client):
		return request{}, errors.New("client is not a plain name of at most 40 characters")
	case mode != "" && mode != "ticket" && mode != "token":
		return request{}, errors.New("mode is neither ticket nor token")
	default:
		asked.Token = mode == "token"
	}
	return asked, nil
}

// reply sends the browser back to the terminal.
func (asked request) reply(w http.ResponseWriter, answer url.Values) {
	answer.Set("state", asked.State)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", asked.RedirectURI+"?"+answer.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

type page struct {
	Asked                       request
	Name, Token, Nonce, Problem string
}

// show writes the page. Browsers apply form-action also to the redirect after a form, so
// it names the one port that the answer is sent to.
func (b *Bridge) show(w http.ResponseWriter, status int, p page) {
	p.Nonce = rand.Text()
	action := "'none'"
	if p.Token != "" {
		action = "'self' http://127.0.0.1:" + p.Asked.Port
	}
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'nonce-"+p.Nonce+"'; form-action "+action+"; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = html.Execute(w, p) // the browser is gone
}

func (b *Bridge) fail(w http.ResponseWriter, what string, err error) {
	log.Printf("cli bridge: %s: %v", what, err)
	b.show(w, http.StatusBadGateway, page{Problem: "This can't be done now. Nothing was authorised: try again in a moment."})
}

func (b *Bridge) now() time.Time {
	if b.Now != nil {
		return b.Now()
	}
	return time.Now()
}

// The form is posted to the page's full address.
var html = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Authorise a terminal</title>
<style nonce="{{.Nonce}}">
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }
.code { font: 2rem/2 ui-monospace, monospace }
button { font: inherit; padding: .5rem 1rem }
</style>
</head>
<body>
<main>
{{if .Problem}}<h1>Nothing was authorised</h1>
<p>{{.Problem}}</p>
{{else}}<h1>Authorise a terminal?</h1>
<p><strong>{{.Asked.Client}}</strong>, running on this computer, wants to act as <strong>{{.Name}}</strong>.</p>
<p>Your terminal shows<br><output class="code">{{.Asked.Code}}</output></p>
{{if .Asked.Token}}<p>It gets a token for databases, which nobody can take back before it ends.</p>
{{end}}<p>Go on only if you started this yourself and the code is the one in your terminal.</p>
<form method="post">
<input type="hidden" name="token" value="{{.Token}}">
<button name="decision" value="authorise">Authorise this terminal</button>
<button name="decision" value="cancel">Cancel</button>
</form>
{{end}}</main>
</body>
</html>
`))
