package devstack

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/auth0"
)

// buildTenant makes the Auth0 tenant, if the seed has one. An issuer of Auth0's is
// the root of a host, so it has a port of its own.
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
			Organizations: u.Organizations, AppMetadata: u.AppMetadata,
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
	if seed := s.seed.Auth0.Action; seed != nil {
		claims, err := s.claims(*seed)
		if err != nil {
			return err
		}
		s.Auth0.SetAction(auth0.Claims(claims))
	}
	if seed := s.seed.Auth0.MachineAction; seed != nil {
		claims, err := s.claims(*seed)
		if err != nil {
			return err
		}
		s.Auth0.SetMachineAction(auth0.MachineClaims(claims))
	}
	return nil
}

func tenantService(*http.Request) string { return "Auth0" }
