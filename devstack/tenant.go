package devstack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/auth0"
)

// buildTenant makes the Auth0 tenant, if the seed has one. An Auth0 issuer is the root of
// a host, so it has its own port.
func (s *Stack) buildTenant(options Options) error {
	seed := s.seed.Auth0
	if seed == nil {
		return nil
	}
	o := auth0.Options{
		Now: options.Now, Fault: s.Faults.On, Logger: options.Logger, SkipCallbackConfirmation: seed.SkipCallbackConfirmation,
		Organizations: []auth0.Organization{}, Users: []auth0.User{}, // nil would be auth0's own
	}
	if len(options.Keys) > 1 {
		o.Keys = options.Keys[1:]
	}
	for _, u := range seed.Users {
		id := u.ID
		if id == "" {
			sum := sha256.Sum256([]byte(strings.ToLower(u.Email)))
			id = "auth0|" + hex.EncodeToString(sum[:12])
		}
		o.Users = append(o.Users, auth0.User{
			ID: id, Email: u.Email, Password: u.Password, Name: u.Name, GivenName: u.GivenName, FamilyName: u.FamilyName,
			Organizations: u.Organizations, Roles: u.Roles, AppMetadata: u.AppMetadata,
		})
	}
	for _, org := range seed.Organizations {
		o.Organizations = append(o.Organizations, auth0.Organization{ID: org.ID, Name: org.Name, DisplayName: org.DisplayName})
	}
	for _, a := range seed.Applications {
		if a.Callbacks == nil && a.Secret == "" {
			a.Callbacks = auth0.DefaultCallbacks()
		}
		application := auth0.Application{
			ClientID: a.ClientID, Name: a.Name, Secret: a.Secret, Callbacks: a.Callbacks, LogoutURLs: a.LogoutURLs,
			Organizations: a.Organizations, RefreshLeeway: time.Duration(a.RefreshLeeway),
		}
		for _, g := range a.Grants {
			application.Grants = append(application.Grants, auth0.ClientGrant{Audience: g.Audience, Scopes: g.Scopes, Organizations: g.Organizations})
		}
		o.Applications = append(o.Applications, application)
	}
	for _, a := range seed.APIs {
		o.APIs = append(o.APIs, auth0.API{
			Identifier: a.Identifier, Scopes: a.Scopes, TokenLifetime: time.Duration(a.TokenLifetime), RFC9068: a.RFC9068, Algorithm: a.Algorithm,
		})
	}
	var err error
	s.Auth0, err = auth0.New(o)
	return err
}

// plantActions has Auth0 put the claims of the seed on its access tokens, people's and
// machines'.
func (s *Stack) plantActions() error {
	if s.Auth0 == nil {
		return nil
	}
	people, err := s.auth0Claims(s.seed.Auth0.Action)
	if err != nil {
		return err
	}
	machines, err := s.auth0Claims(s.seed.Auth0.MachineAction)
	if err != nil {
		return err
	}
	if people != nil {
		s.Auth0.SetAction(func(l *auth0.Login) { people(l.Organization, l.Scopes, l.SetAccessTokenClaim) })
	}
	if machines != nil {
		s.Auth0.SetMachineAction(func(e *auth0.Exchange) { machines(e.Organization, e.Scopes, e.SetAccessTokenClaim) })
	}
	return nil
}

// auth0Action is what an Action does for an organization, nil for none, and the requested
// scopes.
type auth0Action func(organization *auth0.Organization, scopes []string, set func(name string, value any))

// auth0Claims returns the Action of a seed; nil means nothing.
func (s *Stack) auth0Claims(seed *ActionSeed) (auth0Action, error) {
	if seed == nil {
		return nil, nil
	}
	type pair struct{ writing, reading map[string]any }
	claimsFor := func(c ClaimsSeed) (p pair, err error) {
		if p.writing, err = s.claims(c); err != nil {
			return p, err
		}
		c.Access = "ro"
		p.reading, err = s.claims(c)
		return p, err
	}
	own, err := claimsFor(seed.ClaimsSeed)
	if err != nil {
		return nil, err
	}
	organizations := map[string]pair{}
	for _, o := range s.seed.Auth0.Organizations {
		if o.Database == "" {
			continue
		}
		c := seed.ClaimsSeed
		c.Database = o.Database
		if organizations[o.Name], err = claimsFor(c); err != nil {
			return nil, fmt.Errorf("auth0 organization %q: %w", o.Name, err)
		}
	}
	return func(organization *auth0.Organization, scopes []string, set func(name string, value any)) {
		p := own
		if organization != nil {
			if theirs, ok := organizations[organization.Name]; ok {
				p = theirs
			}
		}
		claims := p.writing
		if seed.WriteScope != "" && !slices.Contains(scopes, seed.WriteScope) {
			claims = p.reading
		}
		for name, value := range claims {
			set(name, value)
		}
	}, nil
}

func tenantService(*http.Request) string { return "Auth0" }
