// Package devstack runs a local Clerk, Auth0, OpenID issuer, CI and Turso, and an app
// between them, on the loopback: for developing without accounts, for demonstrations, and
// for tests. Its parts use the same protocols as the real services.
//
// # In a test
//
// Package devstacktest starts a stack that ends with the test; [Start] is for
// everything else. What there is from the start is declared by a [Seed]; a [Clock]
// moves the time of all parts at once, and [Stack].Faults makes them fail. An
// [Admin] does that from another process.
//
// # As a program
//
// zen dev runs a stack, prints the [Stack.Environment] in which clients find it, and
// serves a page at its address that shows the stack's contents and requests.
package devstack

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/zen-auth/zen/devstack/app"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/jose"
	"github.com/zen-auth/zen/devstack/oidc"
	"github.com/zen-auth/zen/devstack/traffic"
	"github.com/zen-auth/zen/devstack/turso"
)

// The names in the default seed.
const (
	// Organization is the Turso organization, User its owner.
	Organization = "acme"
	User         = "alice"
	// Database is the database.
	Database = "app"
	// Template is the Clerk JWT template with Turso's claims, and ReadOnlyTemplate
	// the one for reading.
	Template         = "turso"
	ReadOnlyTemplate = "turso-ro"
)

// Options shape a stack. The zero value is one in memory on a free port.
type Options struct {
	// Address is a loopback address and port to listen on; port 0 is a free one.
	// Empty means the one that Dir keeps, or a free port.
	Address string
	// Dir keeps databases, accounts, registrations, keys, who is signed in, and the
	// ports between runs. It belongs to one running stack at a time. Empty keeps
	// nothing.
	Dir string
	// Seed describes what there is from the start. Nil means [DefaultSeed].
	Seed *Seed
	// Faults are on from the start, by name.
	Faults []string
	// Auth0Address is Address for the Auth0 tenant: it has a port of its own.
	Auth0Address string
	// Keys sign instead of new ones: the first Clerk's tokens, the others Auth0's.
	// Making keys is most of the time that a start takes.
	Keys []*rsa.PrivateKey
	// CI is the system whose job the environment is that of: one of [ci.Systems]. Empty
	// is none.
	CI string
	// TokenLifetime is the life of tokens from templates that say nothing about it.
	// Zero is Clerk's 60 s.
	TokenLifetime time.Duration
	// Latency delays each answer.
	Latency time.Duration
	// RateLimits has Clerk count requests and answer 429, as the real one does: five
	// sign-ins in ten seconds, for one.
	RateLimits bool
	// Now is the clock of everything. Nil means time.Now; tests use a [Clock].
	Now func() time.Time
	// Logger gets refused tokens and failed fetches. Nil means silence.
	Logger *slog.Logger
}

// Stack is a running stack. Close it.
type Stack struct {
	Clerk  *clerk.Instance
	Auth0  *auth0.Tenant // nil if the seed has none
	OIDC   *oidc.Issuer
	CI     *ci.Service
	Turso  *turso.Server
	Faults *fault.Set

	url      string
	seed     *Seed
	now      func() time.Time
	keep     *keep
	recorder *traffic.Recorder
	latency  time.Duration
	database turso.Database
	apiToken string
	apiKey   string
	sites    []*site
	inbox    inbox
	complete bool // the seed has been planted

	// Background work ends with Close.
	background context.Context
	stop       context.CancelFunc
	running    []<-chan struct{}
	ci         string // whose job the environment is that of
}

// ErrAddress is an address to listen on that is not a loopback address and port.
var ErrAddress = errors.New("not a loopback address and port, such as 127.0.0.1:4000")

// Start listens, and returns when the stack can be used.
func Start(options Options) (*Stack, error) {
	s, err := start(options)
	if err != nil {
		return nil, fmt.Errorf("start stack: %w", err)
	}
	return s, nil
}

func start(options Options) (*Stack, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Stack{
		seed: options.Seed, now: options.Now, Faults: fault.NewSet(Faults()...), recorder: traffic.New(options.Now), latency: options.Latency, ci: options.CI,
	}

	if s.seed == nil {
		s.seed = DefaultSeed()
	}
	if err := s.seed.check(); err != nil {
		return nil, err
	}
	var err error
	if s.keep, err = openKeep(options.Dir); err != nil {
		return nil, err
	}
	s.background, s.stop = context.WithCancel(context.Background())
	if err := s.listen(options); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.finish(options); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for _, site := range s.sites {
		site.serve()
	}
	return s, nil
}

// listen makes the parts and takes the addresses that their tokens name. Early
// connections wait until everything is ready.
func (s *Stack) listen(options Options) error {
	listener, err := s.keep.listen("address", options.Address)
	if err != nil {
		return err
	}
	own := newSite(listener)
	s.sites, s.url = append(s.sites, own), own.url()
	if own.server.Handler, err = s.build(options); err != nil {
		return err
	}
	own.server.RegisterOnShutdown(s.Turso.Leave)
	if s.Auth0 == nil {
		return nil
	}
	if listener, err = s.keep.listen("address-auth0", options.Auth0Address); err != nil {
		return fmt.Errorf("auth0: %w", err)
	}
	tenant := newSite(listener)
	s.sites = append(s.sites, tenant)
	tenant.server.Handler = s.clients(s.Auth0.Handler(), tenantService)
	return s.Auth0.SetBaseURL(tenant.url())
}

// build makes the parts.
func (s *Stack) build(options Options) (http.Handler, error) {
	id, err := loadIdentity(options.Dir)
	if err != nil {
		return nil, err
	}
	known := id.Key.Private != nil
	switch {
	case known:
	case len(options.Keys) > 0:
		id.Key.Private = options.Keys[0]
	default:
		if id.Key, err = jose.NewKey(""); err != nil {
			return nil, err
		}
	}
	organizations, users := s.plantUsers()
	var limits *clerk.RateLimits
	if options.RateLimits {
		limits = clerk.DefaultRateLimits(false)
	}
	s.Clerk, err = clerk.New(clerk.Options{
		BaseURL: s.url, Now: options.Now, Fault: s.Faults.On,
		Key: id.Key.Private, InstanceID: id.Key.ID, SecretKey: id.SecretKey,
		Organizations: organizations, Users: users, DeviceGrant: true, RateLimits: limits, Logger: options.Logger,
		OAuthApplications: s.plantApplications(), Production: s.seed.Clerk.Production, ClientTrust: s.seed.Clerk.ClientTrust,
		NativeAPIDisabled: s.seed.Clerk.NativeAPIDisabled, ProxyPath: s.seed.Clerk.ProxyPath,
		SendCode: func(address, code string) { s.inbox.receive(Mail{options.Now(), address, code}) },
	})
	if err != nil {
		return nil, err
	}
	if options.Dir != "" && !known {
		id = identity{jose.Key{ID: s.Clerk.ID(), Private: id.Key.Private}, s.Clerk.SecretKey()}
		if err := id.keep(options.Dir); err != nil {
			return nil, err
		}
	}
	var accounts []app.Account
	for _, u := range users {
		if u.Password != "" {
			accounts = append(accounts, app.Account{Name: cmp.Or(u.FirstName, u.Email), Email: u.Email, Password: u.Password})
		}
	}
	customer, err := app.New(app.Options{
		FrontendAPI: s.Clerk.Issuer(), BackendAPI: s.Clerk.BackendURL(), SecretKey: s.Clerk.SecretKey(),
		Template: s.seed.template("rw"), Accounts: accounts, Now: options.Now, Logger: options.Logger,
	})
	if err != nil {
		return nil, err
	}
	if err := s.buildTenant(options); err != nil {
		return nil, err
	}
	if err := s.buildOIDC(options); err != nil {
		return nil, err
	}
	s.buildCI(options)
	s.Turso, err = turso.New(turso.Options{
		Now: options.Now, Dir: options.Dir, Host: s.url[len("http://"):], Faults: s.Faults, Logger: options.Logger,
		JWKSLimit: s.seed.Turso.JWKSLimit,
	})
	if err != nil {
		return nil, err
	}
	return s.handler(customer.Handler()), nil
}

// finish fills the stack, and then switches faults on.
func (s *Stack) finish(options Options) error {
	if err := s.restore(); err != nil {
		return err
	}
	if err := s.plant(options.TokenLifetime); err != nil {
		return err
	}
	organization, name := s.seed.primary()
	for _, database := range s.Turso.Databases(organization) {
		if database.Name == name {
			s.database = database
		}
	}
	// It is a new one in each run: the last run's was exported to a shell that has ended.
	token, err := s.Turso.CreateAPIToken(s.user(), turso.APIToken{
		Name: fmt.Sprintf("zen-dev-%d", time.Now().UnixNano()), Organization: organization,
	})
	if err != nil {
		return err
	}
	s.apiToken = token
	if err := s.plantAPIKey(); err != nil {
		return err
	}
	// State is also saved now, so that a killed stack is the same one the next time.
	if err := s.remember(); err != nil {
		return err
	}
	s.complete = true
	for _, name := range options.Faults {
		if err := s.Faults.Switch(name, true); err != nil {
			return err
		}
	}
	return nil
}

// user returns the owner of the API token.
func (s *Stack) user() string { return s.seed.Turso.Organizations[0].Members[0] }

// URL returns the URL at which everything answers, without a trailing slash.
func (s *Stack) URL() string { return s.url }

// DatabaseURL returns the address of the database, DatabaseID Turso's id of it.
func (s *Stack) DatabaseURL() string { return s.url + s.database.Path }

// DatabaseID returns the id that a token has to name.
func (s *Stack) DatabaseID() string { return s.database.ID }

// APIToken returns a token of the Platform API.
func (s *Stack) APIToken() string { return s.apiToken }

// APIKey returns a Clerk API key of the first user's, or "" if the seed has none. It is a
// new one each run.
func (s *Stack) APIKey() string { return s.apiKey }

// Requests returns the clients' last requests, and how each was answered.
func (s *Stack) Requests() []traffic.Request { return s.recorder.Requests() }

// Close stops listening, waits for requests in flight, and closes the databases.
func (s *Stack) Close() error {
	s.stop()
	for _, ended := range s.running {
		<-ended
	}
	var errs []error
	for _, site := range s.sites {
		errs = append(errs, site.close())
	}
	if s.complete {
		errs = append(errs, s.remember())
	}
	if s.Turso != nil {
		errs = append(errs, s.Turso.Close())
	}
	return errors.Join(append(errs, s.keep.close())...)
}
