// Package devstack runs a local Clerk, a local Turso and an app between them, on
// one loopback port: for developing without accounts, for demonstrations, and for
// tests. Its parts speak the wire of the real ones.
package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/zen-auth/zen/devstack/app"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/turso"
)

// What a stack starts with.
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
	// Address is a loopback address and port to listen on. Empty is a free port.
	Address string
	// Dir keeps the databases and the Clerk instance's key between runs. Empty
	// keeps nothing. Keep the port, too: it is part of the issuer's name.
	Dir string
	// TokenLifetime is the life of template tokens. Zero is Clerk's 60 s.
	TokenLifetime time.Duration
	// Now is the clock of everything. Nil is time.Now.
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
	database turso.Database
	apiToken string
	server   *http.Server
	served   chan error
}

// Start listens, and returns when the stack can be used.
func Start(options Options) (*Stack, error) {
	if options.Address == "" {
		options.Address = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(options.Address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("start stack: %q is not a loopback address and port, such as 127.0.0.1:4000", options.Address)
	}
	listener, err := net.Listen("tcp", options.Address)
	if err != nil {
		return nil, fmt.Errorf("start stack: %w", err)
	}
	s := &Stack{url: "http://" + listener.Addr().String(), Faults: fault.NewSet(fault.Known()...), served: make(chan error, 1)}
	handler, err := s.build(options)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("start stack: %w", err)
	}
	s.server = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { s.served <- s.server.Serve(listener) }()
	if err := s.seed(options); err != nil {
		return nil, errors.Join(fmt.Errorf("start stack: %w", err), s.Close())
	}
	return s, nil
}

// build makes the parts and mounts them on one port, at the root, as the turso
// CLI and Clerk's clients want them.
func (s *Stack) build(options Options) (http.Handler, error) {
	identity, err := loadIdentity(options.Dir)
	if err != nil {
		return nil, err
	}
	s.Clerk, err = clerk.New(clerk.Options{
		BaseURL: s.url, Now: options.Now, Fault: s.Faults.On,
		Key: identity.Key, InstanceID: identity.InstanceID, SecretKey: identity.SecretKey,
		// Whoever signs in again in the same terminal is not asked to sign out first.
		MultiSession: true,
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
	var accounts []app.Account
	for _, u := range clerk.DefaultUsers() {
		accounts = append(accounts, app.Account{Name: u.FirstName, Email: u.Email, Password: u.Password})
	}
	bridge, err := app.New(app.Options{
		FrontendAPI: s.url, BackendAPI: s.Clerk.BackendURL(), SecretKey: s.Clerk.SecretKey(),
		Template: Template, Accounts: accounts, Now: options.Now,
	})
	if err != nil {
		return nil, err
	}
	rest := http.NewServeMux()
	rest.Handle(app.Pattern, bridge.Handler())
	rest.Handle(adminPath, adminHandler(s.Faults))
	for _, pattern := range clerk.Patterns() {
		rest.Handle(pattern, s.Clerk.Handler())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Before the mux, which would redirect a path with // in it.
		if turso.Match(r) {
			s.Turso.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	}), nil
}

// seed creates what is not there yet, and connects the parts: Turso's claims go
// into Clerk's templates, Clerk's key set is registered at Turso.
func (s *Stack) seed(options Options) error {
	steps := []func() error{
		func() error { return s.Turso.CreateUser(User, User+"@example.test") },
		func() error {
			return s.Turso.CreateOrganization(turso.Organization{Slug: Organization, Name: "Acme", Members: []string{User}})
		},
		func() error { _, err := s.Turso.CreateDatabase(Organization, Database); return err },
		func() error {
			return s.Turso.RegisterJWKS(Organization, JWKSName, s.Clerk.Issuer()+"/.well-known/jwks.json")
		},
		func() error { return s.setTemplate(Template, turso.TokenOptions{}, options.TokenLifetime) },
		func() error {
			return s.setTemplate(ReadOnlyTemplate, turso.TokenOptions{ReadOnly: true}, options.TokenLifetime)
		},
	}
	for _, step := range steps {
		if err := step(); err != nil && !errors.Is(err, turso.ErrExists) {
			return err
		}
	}
	for _, database := range s.Turso.Databases(Organization) {
		if database.Name == Database {
			s.database = database
		}
	}
	// A new one each run: the last run's died with the shell it was exported to.
	name := fmt.Sprintf("zen-dev-%d", time.Now().UnixNano())
	token, err := s.Turso.CreateAPIToken(User, turso.APIToken{Name: name, Organization: Organization})
	s.apiToken = token
	return err
}

func (s *Stack) setTemplate(name string, options turso.TokenOptions, lifetime time.Duration) error {
	claims, err := s.Turso.Template(Organization, Database, options)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	return s.Clerk.SetTemplate(name, encoded, lifetime)
}

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
	return errors.Join(err, s.Turso.Close())
}
