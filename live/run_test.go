package live

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/jwks/keyset"
	"github.com/zen-auth/zen/core/libsql"
	_ "github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// testbed is the environment of a run: the real services or the local stack.
type testbed struct {
	settings
	// lacks maps each unmet need to how it is met.
	lacks map[string]string
	base  http.RoundTripper
	now   func() time.Time
	// wait waits for a duration.
	wait func(context.Context, time.Duration) error
	// person opens pages, and may sign in in the browser.
	person oauth.Host
	// keyring is the system's keyring.
	keyring keyringOf
	// action makes Auth0's Action set the claims. If nil, the Action reads them from the
	// request.
	action func(claims map[string]any)
	// zen runs zen as a process in a directory, with a clock that agrees with the services'.
	zen func(ctx context.Context, dir string, environ []string, args ...string) (out []byte, code int)
}

type keyringOf interface {
	Set(ctx context.Context, item string, secret provider.Secret) error
	Get(ctx context.Context, item string) (provider.Secret, error)
	Delete(ctx context.Context, item string) error
}

// run is one run of the questions. What a question needs is created on first use.
type run struct {
	testbed
	// ctx is for requests, which an interrupt doesn't cancel, because a created object has to
	// be known. end is for waiting.
	ctx, end context.Context
	recorder *recorder
	journal  *journal
	// name is the name, or the prefix of the name, of everything that the run creates.
	name, dir string

	turso    *turso.Client
	backend  *clerk.Backend
	frontend *clerk.Frontend
	instance clerk.Instance
	keys     *keyset.Set

	made       map[string]any // by once
	closing    []func() error // for what the questions leave open
	templateID string
	minted     map[string]any // the template's current claims
}

// cannot is the panic value that ends a question with an error.
type cannot struct{ err error }

// check ends the question if err is not nil.
func check(err error) {
	if err != nil {
		panic(cannot{err})
	}
}

// newRun creates the clients. It sends no requests.
func newRun(ctx context.Context, b testbed, rec *recorder) (r *run, err error) {
	id := make([]byte, 4)
	rand.Read(id)
	r = &run{testbed: b, ctx: context.WithoutCancel(ctx), end: ctx, recorder: rec, name: prefix + hex.EncodeToString(id), made: map[string]any{}}
	b.hide(rec.redactor)
	r.turso, err = turso.New(turso.Options{
		BaseURL: b.tursoURL, Token: func(context.Context) (string, error) { return b.tursoToken, nil },
		HTTPClient: r.client("Turso API", cmp.Or(b.tursoURL, turso.DefaultBaseURL)),
	})
	if err != nil {
		return nil, err
	}
	if b.publishableKey != "" {
		if r.instance, err = clerk.ParseKey(b.publishableKey); err != nil {
			return nil, err
		}
		rec.name(r.instance.Host, "Clerk host")
		r.frontend = clerk.NewFrontend(r.instance, r.client("Clerk", r.instance.URL), "zen-live")
		if r.keys, err = keyset.New(r.instance.KeySetURL(), keyset.Options{Client: r.client("Clerk", r.instance.URL), Now: b.now}); err != nil {
			return nil, err
		}
	}
	backendURL := strings.TrimSuffix(cmp.Or(b.clerkURL, clerk.DefaultBackendURL), "/v1")
	r.backend = clerk.NewBackend(backendURL, provider.NewSecret(b.secretKey), r.client("Clerk Backend", backendURL), "zen-live")
	return r, nil
}

func (r *run) client(service, base string) *http.Client {
	return httpclient.Over(r.recorder.through(service, base, r.base))
}

// once creates something on first use. After a failure it isn't tried again.
func once[T any](r *run, what string, make func() T) T {
	value, ok := r.made[what]
	if !ok {
		if err := caught(func() { value = make() }); err != nil {
			value = cannot{err}
		}
		r.made[what] = value
	}
	if failed, ok := value.(cannot); ok {
		panic(failed)
	}
	return value.(T)
}

// caught returns the error with which check ended fn.
func caught(fn func()) (err error) {
	defer func() {
		if failed := recover(); failed != nil {
			c, ok := failed.(cannot)
			if !ok {
				panic(failed)
			}
			err = c.err
		}
	}()
	fn()
	return nil
}

// response is the response to call.
type response struct {
	status int
	header http.Header
	body   []byte
}

// into decodes the body, and ends the question unless the status is 2xx.
func (a response) into(out any) {
	if a.status/100 != 2 {
		check(fmt.Errorf("status %d: %s", a.status, a.body))
	}
	if out != nil {
		check(json.Unmarshal(a.body, out))
	}
}

// call sends a request that no client in core has a method for. A body is sent as JSON, or
// unchanged if it is a string; header are names and values.
func (r *run) call(ctx context.Context, service, base, method, path, bearer string, body any, header ...string) response {
	var content io.Reader
	kind := ""
	switch b := body.(type) {
	case nil:
	case string:
		content, kind = strings.NewReader(b), "application/x-www-form-urlencoded"
	default:
		encoded, err := json.Marshal(b)
		check(err)
		content, kind = bytes.NewReader(encoded), "application/json"
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, base+path, content)
	check(err)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := r.client(service, base).Do(req)
	check(err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	check(err)
	return response{res.StatusCode, res.Header, answer}
}

func (r *run) tursoCall(ctx context.Context, method, path string, body any) response {
	organization := "/v1"
	if r.organization != "" {
		organization += "/organizations/" + r.organization
	}
	return r.call(ctx, "Turso API", strings.TrimRight(cmp.Or(r.tursoURL, turso.DefaultBaseURL), "/"), method, organization+path, r.tursoToken, body)
}

func (r *run) clerkCall(ctx context.Context, method, path string, body any) response {
	base := strings.TrimSuffix(cmp.Or(r.clerkURL, clerk.DefaultBackendURL), "/v1")
	return r.call(ctx, "Clerk Backend", base, method, "/v1"+path, r.secretKey, body)
}

// journaled records in the journal what is about to be created.
func (r *run) journaled(kind, name string) string {
	check(r.journal.write(entry{Kind: kind, Name: name, Account: r.account(kind)}))
	return name
}

// theDatabase returns the database of the run.
func (r *run) theDatabase() turso.Database {
	return once(r, "database", func() turso.Database {
		name := r.database
		if name == "" {
			name = r.journaled("database", r.name)
			group := r.group
			if group == "" {
				groups, err := r.turso.Groups(r.ctx, r.organization)
				check(err)
				if len(groups) == 0 {
					check(errors.New("the organization has no group: turso group create default"))
				}
				group = groups[0].Name
			}
			r.tursoCall(r.ctx, http.MethodPost, "/databases", map[string]string{"name": name, "group": group}).into(nil)
		}
		db, err := r.turso.Database(r.ctx, r.organization, name)
		check(err)
		r.recorder.name(strings.SplitN(db.Hostname, "/", 2)[0], "database host")
		return db
	})
}

// pauses are the waits between attempts while a service needs time.
var pauses = []time.Duration{0, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, time.Minute}

// until calls done until it returns true, and returns how long that took, as part of an
// answer.
func (r *run) until(done func() bool) string {
	var waited time.Duration
	for _, pause := range pauses {
		check(r.wait(r.end, pause))
		waited += pause
		switch {
		case !done():
		case waited == 0:
			return "at once"
		default:
			return "within " + waited.String()
		}
	}
	return "not within " + waited.String()
}

// address returns the database's HTTP address. A new database may need a moment.
func (r *run) address() string {
	return once(r, "address", func() string {
		u, err := libsql.Address(r.theDatabase().URL())
		check(err)
		r.until(func() bool {
			return r.call(r.ctx, "Database", u.String(), http.MethodPost, "/v2/pipeline", "", map[string]any{"requests": []any{}}).status < 404
		})
		return u.String()
	})
}

// platformToken returns a token for the database that Turso mints.
func (r *run) platformToken() string {
	return once(r, "platform token", func() string {
		token, err := r.turso.CreateDatabaseToken(r.ctx, r.organization, r.theDatabase().Name, turso.TokenOptions{Expiration: time.Hour, Authorization: turso.FullAccess})
		check(err)
		return token
	})
}

// template returns the claims that Turso expects in a token for the database.
func (r *run) template() map[string]any {
	return once(r, "template", func() map[string]any { return r.askTemplate(turso.TemplateOptions{Database: r.theDatabase().Name}) })
}

func (r *run) askTemplate(o turso.TemplateOptions) (claims map[string]any) {
	o.Authorization = cmp.Or(o.Authorization, turso.FullAccess)
	raw, err := r.turso.Template(r.ctx, r.organization, o)
	check(err)
	check(json.Unmarshal(raw, &claims))
	return claims
}

// user returns a user of the Clerk instance, who can sign in with the code that a development
// instance accepts for such an address.
func (r *run) user() (id string) {
	return once(r, "user", func() string {
		var made struct {
			ID string `json:"id"`
		}
		r.clerkCall(r.ctx, http.MethodPost, "/users", map[string]any{
			"email_address": []string{r.journaled("user", r.email())}, "password": rand.Text(),
			"public_metadata": map[string]any{"turso_perm": readNotes},
		}).into(&made)
		return made.ID
	})
}

func (r *run) email() string { return r.name + "+clerk_test@example.com" }

// readNotes are permissions to read one table.
var readNotes = []any{map[string]any{"t": []any{"notes"}, "a": []any{"data_read"}}}

// team returns an organization of the Clerk instance with the user as its administrator.
func (r *run) team() (id string) {
	return once(r, "team", func() string {
		var made struct {
			ID string `json:"id"`
		}
		user := r.user()
		r.clerkCall(r.ctx, http.MethodPost, "/organizations", map[string]any{
			"name": r.journaled("organization", r.name), "created_by": user,
		}).into(&made)
		return made.ID
	})
}

// session returns a session of the user, like that of zen's provider.
func (r *run) session() *clerk.Session {
	return once(r, "session", func() *clerk.Session { return r.signIn(r.user()) })
}

func (r *run) signIn(user string) *clerk.Session {
	ticket, err := r.backend.SignInToken(r.ctx, user, time.Minute)
	check(err)
	s, err := r.frontend.SignIn(r.ctx, ticket)
	check(err)
	return s
}

// mint mints a token of the session with these claims; all tokens share one template.
func (r *run) mint(claims map[string]any, lifetime time.Duration) string {
	if r.templateID == "" {
		r.journaled("template", r.name)
	}
	check(r.backend.SaveTemplate(r.ctx, clerk.Template{ID: r.templateID, Name: r.name, Claims: claims, Lifetime: lifetime}))
	if r.templateID == "" {
		templates, err := r.backend.Templates(r.ctx)
		check(err)
		for _, t := range templates {
			if t.Name == r.name {
				r.templateID = t.ID
			}
		}
	}
	// For a moment a token may be minted from the template's previous version.
	var token string
	for _, pause := range pauses[:3] {
		check(r.wait(r.end, pause))
		minted, err := r.frontend.Mint(r.ctx, r.session(), r.name)
		check(err)
		token = minted.Reveal()
		if _, got := decoded(token); isOf(got, claims, r.minted) && life(token) == lifetime.String() {
			break
		}
	}
	r.minted = claims
	return token
}

// isOf reports whether a token's claims are those of a template and not of its previous
// version. Claims with shortcodes may have any value.
func isOf(got, claims, before map[string]any) bool {
	for name := range before {
		if _, wanted := claims[name]; !wanted && got[name] != nil {
			return false
		}
	}
	for name, value := range claims {
		want, err := marshal(value)
		check(err)
		is, err := marshal(got[name])
		check(err)
		if !bytes.Contains(want, []byte("{{")) && !bytes.Equal(is, want) {
			return false
		}
	}
	return true
}

// lifetime is the lifetime of tokens that don't have to expire.
const lifetime = 10 * time.Minute

// token returns a template token for the database with changed claims.
func (r *run) token(change func(claims map[string]any)) string {
	claims := maps.Clone(r.template())
	change(claims)
	r.registered()
	return r.mint(claims, lifetime)
}

// plain doesn't change the claims.
func plain(map[string]any) {}

// registration is the result of a registration.
type registration struct {
	status int
	taken  string // how soon a token was accepted
}

// registered registers the instance's key set at Turso, and waits until its tokens are
// accepted.
func (r *run) registered() registration {
	return once(r, "registered", func() registration {
		status := r.register("-clerk", r.instance.KeySetURL(), "")
		token := r.mint(r.template(), lifetime)
		return registration{status, r.until(func() bool { return r.select1(token)["status"] == "200" })}
	})
}

// register saves a registration and returns the status.
func (r *run) register(suffix, url, region string) int {
	err := r.turso.SaveKeySet(r.ctx, r.organization, turso.KeySet{Name: r.journaled("registration", r.name+suffix), URL: url, Region: region})
	check(err)
	return r.recorder.last("Turso API").status
}

// listed reports whether a registration is listed.
func (r *run) listed(name string) bool {
	sets, err := r.turso.KeySets(r.ctx, r.organization)
	check(err)
	return slices.ContainsFunc(sets, func(s turso.KeySet) bool { return s.Name == name })
}

// application returns a public OAuth application of the instance with a loopback redirect.
func (r *run) application() (clientID string) {
	return once(r, "application", func() string {
		var made struct {
			ClientID string `json:"client_id"`
		}
		r.clerkCall(r.ctx, http.MethodPost, "/oauth_applications", map[string]any{
			"name": r.journaled("application", r.name), "redirect_uris": []string{"http://127.0.0.1/callback"},
			"scopes": "openid profile email offline_access", "public": true, "pkce_required": true,
		}).into(&made)
		r.recorder.secret(made.ClientID)
		return made.ClientID
	})
}

// files returns a directory for local files.
func (r *run) files() string {
	check(os.MkdirAll(r.dir, 0o700))
	return r.dir
}
