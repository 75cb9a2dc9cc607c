package devstack

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/turso"
)

// plantTimeout is the timeout for the SQL of a seed.
const plantTimeout = time.Minute

// plantUsers creates Clerk's organizations and users. They have the same ids in
// every run, so that what an app stored about them stays right.
func (s *Stack) plantUsers() (organizations []clerk.Organization, users []clerk.User) {
	organizations, users = []clerk.Organization{}, []clerk.User{} // nil would be clerk's own
	for _, o := range s.seed.Clerk.Organizations {
		organizations = append(organizations, clerk.Organization{
			ID: stableID("org", o.Slug), Slug: o.Slug, Name: o.Name, PublicMetadata: o.PublicMetadata, MaxMemberships: o.MaxMemberships,
		})
	}
	for _, u := range s.seed.Clerk.Users {
		user := clerk.User{
			ID: u.ID, Email: u.Email, Password: u.Password, FirstName: u.FirstName, LastName: u.LastName, PublicMetadata: u.PublicMetadata,
			SSO: u.SSO, SecondFactors: u.SecondFactors, TOTPSecret: u.TOTPSecret, BackupCodes: u.BackupCodes, Banned: u.Banned,
		}
		if user.ID == "" {
			user.ID = stableID("user", strings.ToLower(u.Email))
		}
		for _, m := range u.Memberships {
			user.Memberships = append(user.Memberships, clerk.Membership{Organization: m.Organization, Role: m.Role, Permissions: m.Permissions})
		}
		users = append(users, user)
	}
	return organizations, users
}

// plantApplications returns Clerk's own public application for terminals, and those of the
// seed.
func (s *Stack) plantApplications() []clerk.OAuthApplication {
	applications := clerk.DefaultOAuthApplications()
	for _, a := range s.seed.Clerk.OAuthApplications {
		applications = append(applications, clerk.OAuthApplication{
			ClientID: a.ClientID, Name: a.Name, Secret: a.Secret, RedirectURIs: a.RedirectURIs, Scopes: a.Scopes,
			OpaqueTokens: a.OpaqueTokens, DeviceGrant: a.DeviceGrant,
		})
	}
	return applications
}

// stableID makes of a name an id as Clerk's look: 27 letters and digits.
func stableID(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + " " + name))
	return kind + "_" + new(big.Int).SetBytes(sum[:]).Text(62)[:27]
}

// plant creates what is missing at Turso, and connects the parts: Turso's claims go into
// Clerk's templates and Auth0's tokens, their key sets are registered at Turso.
func (s *Stack) plant(templateLifetime time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), plantTimeout)
	defer cancel()
	for _, u := range s.seed.Turso.Users {
		if err := s.Turso.CreateUser(u.Name, u.Email); err != nil && !errors.Is(err, turso.ErrExists) {
			return err
		}
	}
	for _, o := range s.seed.Turso.Organizations {
		if err := s.plantOrganization(ctx, o); err != nil {
			return err
		}
	}
	if err := s.plantClerkClaims(templateLifetime); err != nil {
		return err
	}
	return s.plantActions()
}

func (s *Stack) plantOrganization(ctx context.Context, o OrganizationSeed) error {
	err := s.Turso.CreateOrganization(turso.Organization{Slug: o.Slug, Name: o.Name, Members: o.Members})
	isNew := err == nil
	if err != nil && !errors.Is(err, turso.ErrExists) {
		return err
	}
	for _, d := range o.Databases {
		_, err := s.Turso.CreateDatabase(o.Slug, d.Name)
		if errors.Is(err, turso.ErrExists) {
			continue
		}
		if err != nil {
			return err
		}
		if err := s.Turso.Script(ctx, o.Slug, d.Name, d.SQL); err != nil {
			// Otherwise the next run would mistake the partial contents for complete
			// ones.
			return errors.Join(err, s.Turso.DeleteDatabase(o.Slug, d.Name))
		}
	}
	for _, r := range o.Registrations {
		// In a later run the stack's own key set may be at another port. Registrations
		// that were removed stay removed.
		if !isNew && !s.registered(o.Slug, r.Name) {
			continue
		}
		switch r.Issuer {
		case "clerk":
			r.URL = s.Clerk.Issuer() + "/.well-known/jwks.json"
		case "auth0":
			r.URL = s.Auth0.BaseURL() + "/.well-known/jwks.json"
		}
		if err := s.Turso.RegisterJWKS(o.Slug, r.Name, r.URL); err != nil {
			return fmt.Errorf("registration %q: %w", r.Name, err)
		}
	}
	return nil
}

func (s *Stack) registered(organization, name string) bool {
	for _, o := range s.Turso.Organizations() {
		for _, r := range o.Registrations {
			if o.Slug == organization && r.Name == name {
				return true
			}
		}
	}
	return false
}

// plantClerkClaims puts Turso's claims where Clerk's tokens take them from.
func (s *Stack) plantClerkClaims(templateLifetime time.Duration) error {
	for _, o := range s.seed.Clerk.Organizations {
		if o.Database == "" {
			continue
		}
		claims, err := s.claims(ClaimsSeed{Database: o.Database})
		if err == nil {
			err = s.Clerk.SetOrganizationMetadata(o.Slug, "turso", claims)
		}
		if err != nil {
			return fmt.Errorf("organization %q: %w", o.Slug, err)
		}
	}
	for _, t := range s.seed.Clerk.Templates {
		if err := s.plantTemplate(t, templateLifetime); err != nil {
			return err
		}
	}
	if s.seed.Clerk.SessionToken == nil {
		return nil
	}
	claims, err := s.claims(*s.seed.Clerk.SessionToken)
	if err != nil {
		return fmt.Errorf("session token: %w", err)
	}
	encoded, err := json.Marshal(claims)
	if err != nil {
		return fmt.Errorf("session token: %w", err)
	}
	return s.Clerk.SetSessionClaims(encoded)
}

func (s *Stack) plantTemplate(t TemplateSeed, fallback time.Duration) error {
	claims, err := s.claims(t.ClaimsSeed)
	if err != nil {
		return fmt.Errorf("template %q: %w", t.Name, err)
	}
	encoded, err := json.Marshal(claims)
	if err != nil {
		return fmt.Errorf("template %q: %w", t.Name, err)
	}
	return s.Clerk.SetTemplate(t.Name, encoded, cmp.Or(time.Duration(t.Lifetime), fallback))
}

// apiKeyLifetime is the life of the exported API key.
const apiKeyLifetime = 30 * 24 * time.Hour

// plantAPIKey creates a key for the first user, as a backend does: with scopes and
// claims, which users can't give their own keys.
func (s *Stack) plantAPIKey() (err error) {
	if len(s.seed.Clerk.Users) == 0 {
		return nil
	}
	_, s.apiKey, err = s.Clerk.AddAPIKey(clerk.APIKey{
		Name: "zen dev", Subject: s.Clerk.UserID(s.seed.Clerk.Users[0].Email), Lifetime: apiKeyLifetime,
		Scopes: []string{"db:read", "db:write"}, Claims: json.RawMessage(`{"purpose":"zen dev"}`),
	})
	return err
}

// claims returns the seed's claims and, if they are for a database, Turso's.
func (s *Stack) claims(seed ClaimsSeed) (map[string]any, error) {
	claims := maps.Clone(seed.Claims)
	if claims == nil {
		claims = map[string]any{}
	}
	organization, database, ok := strings.Cut(seed.Database, "/")
	if !ok {
		return claims, nil
	}
	options := turso.TokenOptions{ReadOnly: seed.Access == "ro"}
	for _, p := range seed.Permissions {
		options.Permissions = append(options.Permissions, engine.Permission{Tables: p.Tables, Actions: p.Actions})
	}
	own, err := s.Turso.Template(organization, database, options)
	maps.Copy(claims, own)
	return claims, err
}
