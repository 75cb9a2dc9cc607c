package auth0

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// Tenant is one Auth0 tenant. Its methods are safe for concurrent use.
type Tenant struct {
	opts    Options
	site    *portal.Site
	handler http.Handler

	// mu guards everything below. A request holds it from the moment its form
	// is read until its answer is computed.
	mu            sync.Mutex
	baseURL       string
	keys          keyRing
	action        Action
	machineAction MachineAction
	library       []*libraryAction // without the initial ones
	flows         map[string]flow  // by trigger
	organizations []*organization
	users         []*user
	applications  map[string]*Application
	apis          map[string]*API
	browsers      map[string]*browser
	transactions  map[string]*transaction
	codes         map[string]*code
	devices       map[string]*device
	refreshTokens map[string]*refreshToken
	assertions    map[string]time.Time // client assertions that were used, until they expire
	sealKey       [32]byte             // of opaque access tokens
}

type organization struct {
	Organization
	invitations []*memberInvitation // unfinished, and not saved
}

type user struct {
	User
	organizations []*organization
	updatedAt     time.Time
}

// New makes a tenant. It fails on options that contradict each other.
func New(opts Options) (*Tenant, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Users == nil && opts.Organizations == nil {
		opts.Organizations, opts.Users = DefaultOrganizations(), DefaultUsers()
	}
	if opts.Roles == nil {
		opts.Roles = DefaultRoles()
	}
	if opts.Applications == nil {
		opts.Applications = DefaultApplications()
	}
	if opts.APIs == nil {
		opts.APIs = DefaultAPIs()
	}
	t := &Tenant{
		opts: opts, action: opts.Action, machineAction: opts.MachineAction, assertions: map[string]time.Time{},
		applications: map[string]*Application{}, apis: map[string]*API{},
		browsers: map[string]*browser{}, transactions: map[string]*transaction{}, codes: map[string]*code{},
		devices: map[string]*device{}, refreshTokens: map[string]*refreshToken{},
	}
	t.flows = map[string]flow{triggerLogin: ownFlow(triggerLogin, t.now()), triggerMachines: ownFlow(triggerMachines, t.now())}
	rand.Read(t.sealKey[:])
	var err error
	if t.keys, err = newKeyRing(opts.Keys, t.now()); err != nil {
		return nil, err
	}
	if opts.BaseURL != "" {
		if err := t.SetBaseURL(opts.BaseURL); err != nil {
			return nil, err
		}
	}
	for _, o := range opts.Organizations {
		if _, err := t.AddOrganization(o); err != nil {
			return nil, err
		}
	}
	for _, u := range opts.Users {
		if _, err := t.AddUser(u); err != nil {
			return nil, err
		}
	}
	for _, a := range opts.Applications {
		if _, err := t.AddApplication(a); err != nil {
			return nil, err
		}
	}
	for _, a := range opts.APIs {
		if err := t.AddAPI(a); err != nil {
			return nil, err
		}
	}
	t.site = portal.New(portal.Options{
		Brand: "Local Auth0", Footer: "A local tenant. Its users are made up.", StylePath: stylePath, Logger: opts.Logger,
	})
	t.handler = t.routes()
	return t, nil
}

// SetBaseURL names the tenant's own address, once its listener has one. It is
// http or https, a host and perhaps a port, and nothing else.
func (t *Tenant) SetBaseURL(base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("auth0: base URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || base != u.Scheme+"://"+u.Host {
		return fmt.Errorf("auth0: base URL %q: want http://HOST:PORT and nothing after it", base)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.baseURL = base
	return nil
}

// BaseURL returns the tenant's address, without a trailing slash.
func (t *Tenant) BaseURL() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.baseURL
}

// Issuer returns the iss of every token. It ends in a slash.
func (t *Tenant) Issuer() string { return t.BaseURL() + "/" }

// Handler serves the tenant. It needs its own host and port.
func (t *Tenant) Handler() http.Handler { return t.handler }

// AddOrganization adds an organization and returns its id.
func (t *Tenant) AddOrganization(o Organization) (string, error) {
	if o.Name == "" || o.Name != strings.ToLower(o.Name) {
		return "", fmt.Errorf("auth0: add organization %q: want a name in lower case", o.Name)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.organization(o.Name) != nil {
		return "", fmt.Errorf("auth0: add organization %q: exists", o.Name)
	}
	if o.ID == "" {
		o.ID = "org_" + random.String(16)
	}
	o.DisplayName = cmp.Or(o.DisplayName, o.Name)
	t.organizations = append(t.organizations, &organization{Organization: o})
	return o.ID, nil
}

// AddUser adds a user and returns its id, which is the sub of its tokens.
func (t *Tenant) AddUser(u User) (string, error) {
	if u.Email == "" {
		return "", errors.New("auth0: add user: want an e-mail address")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.userByEmail(u.Email) != nil {
		return "", fmt.Errorf("auth0: add user %q: exists", u.Email)
	}
	if u.ID == "" {
		u.ID = "auth0|" + random.Hex(12)
	}
	u.Name = cmp.Or(u.Name, u.Email)
	added := &user{User: u, updatedAt: t.now()}
	for _, name := range u.Organizations {
		org := t.organization(name)
		if org == nil {
			return "", fmt.Errorf("auth0: add user %q: no organization %q", u.Email, name)
		}
		added.organizations = append(added.organizations, org)
	}
	t.users = append(t.users, added)
	return u.ID, nil
}

// AddApplication adds or replaces an application and returns its client id.
func (t *Tenant) AddApplication(a Application) (string, error) {
	if a.ClientID == "" {
		a.ClientID = random.String(32)
	}
	switch a.Organizations {
	case "":
		a.Organizations = OrganizationsDeny
	case OrganizationsDeny, OrganizationsAllow, OrganizationsRequire:
	default:
		return "", fmt.Errorf("auth0: add application %q: organizations %q: want deny, allow or require", a.Name, a.Organizations)
	}
	switch {
	case a.GrantTypes != nil:
	case a.confidential() && len(a.Callbacks) == 0:
		a.GrantTypes = []string{GrantCredentials}
	default:
		a.GrantTypes = []string{GrantCode, GrantRefresh, GrantDevice}
	}
	a.Keys = slices.Clone(a.Keys)
	for i := range a.Keys {
		a.Keys[i].Algorithm = cmp.Or(a.Keys[i].Algorithm, RS256)
	}
	a.RefreshLifetime = cmp.Or(a.RefreshLifetime, DefaultRefreshLifetime)
	a.Name = cmp.Or(a.Name, a.ClientID)
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.applications[a.ClientID]; old != nil {
		*old = a // its grants stay
	} else {
		t.applications[a.ClientID] = &a
	}
	return a.ClientID, nil
}

// AddAPI adds or replaces an API.
func (t *Tenant) AddAPI(a API) error {
	if a.Identifier == "" {
		return errors.New("auth0: add API: want an identifier")
	}
	a.TokenLifetime = cmp.Or(a.TokenLifetime, DefaultTokenLifetime)
	switch a.Algorithm {
	case "":
		a.Algorithm = RS256
	case RS256, PS256, HS256:
	default:
		return fmt.Errorf("auth0: add API %q: algorithm %q: want RS256, PS256 or HS256", a.Identifier, a.Algorithm)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.apis[a.Identifier]; old != nil {
		*old = a
	} else {
		t.apis[a.Identifier] = &a
	}
	return nil
}

// SetAction replaces the Action, from the next sign-in or refresh on.
func (t *Tenant) SetAction(action Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.action = action
}

func (t *Tenant) organization(name string) *organization {
	i := slices.IndexFunc(t.organizations, func(o *organization) bool { return o.ID == name || o.Name == name })
	if i < 0 {
		return nil
	}
	return t.organizations[i]
}

func (t *Tenant) userByEmail(email string) *user {
	i := slices.IndexFunc(t.users, func(u *user) bool { return strings.EqualFold(u.Email, email) })
	if i < 0 {
		return nil
	}
	return t.users[i]
}

func (t *Tenant) userByID(id string) *user {
	i := slices.IndexFunc(t.users, func(u *user) bool { return u.ID == id })
	if i < 0 {
		return nil
	}
	return t.users[i]
}

// now returns the tenant's wall clock. Round strips the monotonic reading, which
// stands still while a machine sleeps.
func (t *Tenant) now() time.Time { return t.opts.Now().Round(0) }

func (t *Tenant) fault(name string) bool { return t.opts.Fault != nil && t.opts.Fault(name) }
