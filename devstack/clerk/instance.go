package clerk

import (
	"cmp"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// Instance is one Clerk instance. Its methods are safe for concurrent use.
type Instance struct {
	opts    Options
	handler http.Handler
	site    *portal.Site // the Account Portal
	// strangeKey is the key that FaultKeySwapped publishes.
	strangeKey func() *rsa.PrivateKey

	// mu guards everything below. A request holds it from the moment its body
	// is read until its answer is computed, so handlers see one consistent state.
	mu            sync.Mutex
	root          string // the address of the whole
	baseURL       string // of the Frontend API: root and the proxy's path
	keys          keyRing
	organizations []*organization
	users         []*user
	templates     map[string]*template
	clients       map[string]*client
	sessions      map[string]*session
	tickets       map[string]*signInToken
	oauth         oauthState
	prunedAt      time.Time
	windows       map[string]*window
	apiKeys       map[string]*apiKey
	machines      map[string]*Machine
	m2mTokens     map[string]*m2mToken
	invited       int            // while FaultInvitationsLimited was on
	sessionClaims map[string]any // of session tokens
}

// New makes an instance. It fails on options that contradict each other, such as
// a membership in an organization that does not exist.
func New(opts Options) (*Instance, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.SessionTokenVersion = cmp.Or(opts.SessionTokenVersion, 2)
	if opts.SessionTokenVersion != 1 && opts.SessionTokenVersion != 2 {
		return nil, fmt.Errorf("clerk: session token version %d: want 1 or 2", opts.SessionTokenVersion)
	}
	opts.SessionTokenLifetime = cmp.Or(opts.SessionTokenLifetime, DefaultTokenLifetime)
	opts.SessionLifetime = cmp.Or(opts.SessionLifetime, DefaultSessionLifetime)
	if opts.InstanceID == "" {
		opts.InstanceID = newID("ins")
	}
	if opts.SecretKey == "" {
		opts.SecretKey = "sk_" + environment(opts.Production) + "_" + random.String(40)
	}
	if opts.Users == nil && opts.Organizations == nil {
		opts.Organizations, opts.Users = DefaultOrganizations(), DefaultUsers()
	}
	keys, err := newKeyRing(opts.InstanceID, opts.Key)
	if err != nil {
		return nil, err
	}
	inst := &Instance{
		opts:       opts,
		keys:       keys,
		templates:  map[string]*template{},
		clients:    map[string]*client{},
		sessions:   map[string]*session{},
		tickets:    map[string]*signInToken{},
		oauth:      newOAuthState(),
		strangeKey: sync.OnceValue(makeStrangeKey),
		windows:    map[string]*window{},
		apiKeys:    map[string]*apiKey{},
		machines:   map[string]*Machine{},
		m2mTokens:  map[string]*m2mToken{},
	}
	if opts.BaseURL != "" {
		if err := inst.SetBaseURL(opts.BaseURL); err != nil {
			return nil, err
		}
	}
	for _, o := range opts.Organizations {
		if _, err := inst.AddOrganization(o); err != nil {
			return nil, err
		}
	}
	for _, u := range opts.Users {
		if _, err := inst.AddUser(u); err != nil {
			return nil, err
		}
	}
	for _, t := range opts.Templates {
		if err := inst.AddTemplate(t); err != nil {
			return nil, err
		}
	}
	if opts.SessionClaims != nil {
		if err := inst.SetSessionClaims(opts.SessionClaims); err != nil {
			return nil, err
		}
	}
	for _, m := range opts.Machines {
		inst.AddMachine(m)
	}
	if opts.OAuthApplications == nil {
		opts.OAuthApplications = DefaultOAuthApplications()
	}
	for _, a := range opts.OAuthApplications {
		if _, err := inst.AddOAuthApplication(a); err != nil {
			return nil, err
		}
	}
	inst.site = portal.New(portal.Options{
		Brand: "Local Clerk", Footer: "A local instance. Its users are made up.", StylePath: portalStyle, Logger: opts.Logger,
	})
	inst.handler = inst.routes()
	return inst, nil
}

func environment(production bool) string {
	if production {
		return "live"
	}
	return "test"
}

// SetBaseURL names the instance's own address, once its listener has one. It is
// http or https, a host and perhaps a port, and nothing else.
func (inst *Instance) SetBaseURL(base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("clerk: base URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || base != u.Scheme+"://"+u.Host {
		return fmt.Errorf("clerk: base URL %q: want http://HOST:PORT and nothing after it", base)
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.root, inst.baseURL = base, base+inst.opts.ProxyPath
	return nil
}

// Issuer returns the iss of every token, and the address of the Frontend API, without a
// trailing slash: the base URL, and the proxy's path if there is one.
func (inst *Instance) Issuer() string {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	return inst.baseURL
}

// PublishableKey is pk_test_ (or pk_live_) and the unpadded base64 of "HOST:PORT$".
func (inst *Instance) PublishableKey() string {
	_, host, _ := strings.Cut(inst.Root(), "://")
	return "pk_" + environment(inst.opts.Production) + "_" + base64.RawStdEncoding.EncodeToString([]byte(host+"$"))
}

// SecretKey opens the Backend API.
func (inst *Instance) SecretKey() string { return inst.opts.SecretKey }

// ID returns the instance's id, ins_….
func (inst *Instance) ID() string { return inst.opts.InstanceID }

// BackendURL returns the URL at which the Backend API answers, for an SDK's base URL.
func (inst *Instance) BackendURL() string { return inst.Root() + BackendPrefix }

// Root returns the instance's own address.
func (inst *Instance) Root() string {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	return inst.root
}

// PublicKey returns the key that verifies tokens signed now.
func (inst *Instance) PublicKey() *rsa.PublicKey {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	return &inst.keys.signing.Private.PublicKey
}

// Handler serves everything listed in the package comment. To share a server
// with something else, mount it at each of [Patterns].
func (inst *Instance) Handler() http.Handler { return inst.handler }

// Patterns returns the http.ServeMux patterns of everything that Handler serves.
func Patterns() []string {
	return []string{
		"/.well-known/",
		"/v1/client", "/v1/client/",
		"/v1/me", "/v1/me/",
		"/v1/environment", "/v1/organizations", "/v1/organizations/", "/api_keys", "/api_keys/",
		"/oauth/", portalPath,
		backendRoot + "/",
	}
}

// now returns the instance's wall clock. Round strips the monotonic reading, which
// stands still while a machine sleeps.
func (inst *Instance) now() time.Time { return inst.opts.Now().Round(0) }

func (inst *Instance) fault(name string) bool {
	return inst.opts.Fault != nil && inst.opts.Fault(name)
}
