// Package devstack runs a local Clerk, a local Turso and an app between them, on
// one loopback port: for developing without accounts, for demonstrations, and for
// tests. Its parts speak the wire of the real ones.
package devstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/zen-auth/zen/devstack/app"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/traffic"
	"github.com/zen-auth/zen/devstack/turso"
)

// What a stack of the default seed has.
const (
	// Organization is the Turso organization, User its owner.
	Organization = "acme"
	User         = "alice"
	// Database is the database, JWKSName the registration of the Clerk instance.
	Database = "app"
	JWKSName = "clerk"
	// Template is the Clerk JWT template with Turso's claims, and ReadOnlyTemplate
	// the one for reading.
	Template         = "turso"
	ReadOnlyTemplate = "turso-ro"
)

// stopTimeout bounds how long Close waits for requests that are under way.
const stopTimeout = 3 * time.Second

// Options shape a stack. The zero value is one in memory on a free port.
type Options struct {
	// Address is a loopback address and port to listen on; port 0 is a free one.
	// Empty is the one that Dir keeps, or a free port.
	Address string
	// Dir keeps databases, accounts, registrations, the Clerk instance's key and the
	// port between runs. It belongs to one running stack at a time. Empty keeps
	// nothing.
	Dir string
	// Seed is what there is from the start. Nil is [DefaultSeed].
	Seed *Seed
	// Faults are on from the start, by name.
	Faults []string
	// TokenLifetime is the life of tokens from templates that say nothing about it.
	// Zero is Clerk's 60 s.
	TokenLifetime time.Duration
	// Now is the clock of everything. Nil is time.Now; tests use a [Clock].
	Now func() time.Time
	// Logger gets refused tokens and failed fetches. Nil is silence.
	Logger *slog.Logger
}

// Stack is a running stack. Close it.
type Stack struct {
	Clerk  *clerk.Instance
	Turso  *turso.Server
	Faults *fault.Set

	url      string
	seed     *Seed
	now      func() time.Time
	keep     *keep
	recorder *traffic.Recorder
	database turso.Database
	apiToken string
	server   *http.Server
	served   chan error
}

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
		seed: options.Seed, now: options.Now, Faults: fault.NewSet(Faults()...),
		recorder: traffic.New(options.Now, service), served: make(chan error, 1),
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
	listener, err := s.keep.listen(options.Address)
	if err != nil {
		return nil, errors.Join(err, s.keep.close())
	}
	s.url = "http://" + listener.Addr().String()
	handler, err := s.build(options)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), s.keep.close())
	}
	s.server = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { s.served <- s.server.Serve(listener) }()
	if err := s.finish(options); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// build makes the parts.
func (s *Stack) build(options Options) (http.Handler, error) {
	identity, err := loadIdentity(options.Dir)
	if err != nil {
		return nil, err
	}
	organizations, users := s.plantUsers()
	s.Clerk, err = clerk.New(clerk.Options{
		BaseURL: s.url, Now: options.Now, Fault: s.Faults.On,
		Key: identity.Key, InstanceID: identity.InstanceID, SecretKey: identity.SecretKey,
		Organizations: organizations, Users: users,
	})
	if err != nil {
		return nil, err
	}
	var accounts []app.Account
	for _, u := range users {
		if u.Password != "" {
			accounts = append(accounts, app.Account{Name: cmp.Or(u.FirstName, u.Email), Email: u.Email, Password: u.Password})
		}
	}
	customer, err := app.New(app.Options{
		FrontendAPI: s.url, BackendAPI: s.Clerk.BackendURL(), SecretKey: s.Clerk.SecretKey(),
		Template: s.seed.template("rw"), Accounts: accounts, Now: options.Now, Logger: options.Logger,
	})
	if err != nil {
		return nil, err
	}
	s.Turso, err = turso.New(turso.Options{
		Now: options.Now, Dir: options.Dir, Host: s.url[len("http://"):], Faults: s.Faults, Logger: options.Logger,
	})
	if err != nil {
		return nil, err
	}
	return s.handler(customer.Handler()), nil
}

// finish fills the stack, and then lets faults loose.
func (s *Stack) finish(options Options) error {
	if err := s.plant(options.TokenLifetime); err != nil {
		return err
	}
	organization, name := s.seed.primary()
	for _, database := range s.Turso.Databases(organization) {
		if database.Name == name {
			s.database = database
		}
	}
	// A new one each run: the last run's died with the shell it was exported to.
	token, err := s.Turso.CreateAPIToken(s.user(), turso.APIToken{
		Name: fmt.Sprintf("zen-dev-%d", time.Now().UnixNano()), Organization: organization,
	})
	if err != nil {
		return err
	}
	s.apiToken = token
	for _, name := range options.Faults {
		if err := s.Faults.Switch(name, true); err != nil {
			return err
		}
	}
	return nil
}

// user is who the API token is of.
func (s *Stack) user() string { return s.seed.Turso.Organizations[0].Members[0] }

// URL is where everything answers, without a trailing slash.
func (s *Stack) URL() string { return s.url }

// DatabaseURL is the address of the database, DatabaseID Turso's id of it.
func (s *Stack) DatabaseURL() string { return s.url + s.database.Path }

// DatabaseID is what a token has to name.
func (s *Stack) DatabaseID() string { return s.database.ID }

// APIToken is a token of the Platform API.
func (s *Stack) APIToken() string { return s.apiToken }

// Close stops listening, waits for requests under way, and closes the databases.
func (s *Stack) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, s.Turso.Close(), s.keep.close())
}
