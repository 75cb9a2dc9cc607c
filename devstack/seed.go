package devstack

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/engine"
)

// Seed declares what a stack has when it starts. [LoadSeed] reads one from a file.
// What exists already, in the directory of an earlier run, is left as it is.
type Seed struct {
	Clerk ClerkSeed  `toml:"clerk"`
	Auth0 *Auth0Seed `toml:"auth0"` // nil: there is none
	Turso TursoSeed  `toml:"turso"`
}

// ClerkSeed is who can sign in, and what their tokens say.
type ClerkSeed struct {
	Organizations []struct {
		Slug           string         `toml:"slug"`
		Name           string         `toml:"name"`
		PublicMetadata map[string]any `toml:"public_metadata"`
	} `toml:"organizations"`
	Users []struct {
		ID             string         `toml:"id"` // made from the address if empty
		Email          string         `toml:"email"`
		Password       string         `toml:"password"`
		FirstName      string         `toml:"first_name"`
		LastName       string         `toml:"last_name"`
		PublicMetadata map[string]any `toml:"public_metadata"`
		Memberships    []struct {
			Organization string   `toml:"organization"` // slug
			Role         string   `toml:"role"`
			Permissions  []string `toml:"permissions"`
		} `toml:"memberships"`
	} `toml:"users"`
	Templates []TemplateSeed `toml:"templates"`
}

// TemplateSeed is a JWT template of Clerk's.
type TemplateSeed struct {
	Name     string   `toml:"name"`
	Lifetime lifetime `toml:"lifetime"`
	ClaimsSeed
}

// ClaimsSeed is what an issuer writes into tokens: Turso's claims for a database,
// and others.
type ClaimsSeed struct {
	Database string         `toml:"database"` // ORGANIZATION/DATABASE; empty: none of Turso's claims
	Access   string         `toml:"access"`   // "rw" or "ro"; empty is rw
	Claims   map[string]any `toml:"claims"`
	// Permissions narrow the token to some tables; none is all.
	Permissions []struct {
		Tables  []string        `toml:"tables"`
		Actions []engine.Action `toml:"actions"`
	} `toml:"permissions"`
}

// Auth0Seed is an Auth0 tenant.
type Auth0Seed struct {
	Organizations []struct {
		ID          string `toml:"id"`
		Name        string `toml:"name"`
		DisplayName string `toml:"display_name"`
	} `toml:"organizations"`
	Users []struct {
		ID            string         `toml:"id"` // made from the address if empty
		Email         string         `toml:"email"`
		Password      string         `toml:"password"`
		Name          string         `toml:"name"`
		GivenName     string         `toml:"given_name"`
		FamilyName    string         `toml:"family_name"`
		Organizations []string       `toml:"organizations"` // names
		AppMetadata   map[string]any `toml:"app_metadata"`
	} `toml:"users"`
	Applications []struct {
		ClientID      string                  `toml:"client_id"`
		Name          string                  `toml:"name"`
		Secret        string                  `toml:"secret"`
		Callbacks     []string                `toml:"callbacks"`     // none: five ports of 127.0.0.1
		Organizations auth0.OrganizationUsage `toml:"organizations"` // "deny", "allow" or "require"
	} `toml:"applications"` // none: two native ones
	APIs []struct {
		Identifier    string   `toml:"identifier"`
		Scopes        []string `toml:"scopes"`
		TokenLifetime lifetime `toml:"token_lifetime"`
		RFC9068       bool     `toml:"rfc9068"`
	} `toml:"apis"` // none: one
	// Action is a Post Login Action that sets claims on every access token.
	Action                   *ClaimsSeed `toml:"action"`
	SkipCallbackConfirmation bool        `toml:"skip_callback_confirmation"`
}

// TursoSeed is what there is to sign in to.
type TursoSeed struct {
	Users []struct {
		Name  string `toml:"name"`
		Email string `toml:"email"`
	} `toml:"users"`
	Organizations []OrganizationSeed `toml:"organizations"`
	// JWKSLimit is how many registrations an organization may have; 0 is the 2 of
	// Turso's starter plan.
	JWKSLimit int `toml:"jwks_limit"`
}

// OrganizationSeed is an organization of Turso's.
type OrganizationSeed struct {
	Slug          string             `toml:"slug"`
	Name          string             `toml:"name"`
	Members       []string           `toml:"members"` // the first is the owner
	Databases     []DatabaseSeed     `toml:"databases"`
	Registrations []RegistrationSeed `toml:"registrations"`
}

// DatabaseSeed is a database and the SQL that is run in it once it was created.
type DatabaseSeed struct {
	Name    string `toml:"name"`
	SQL     string `toml:"sql"`
	SQLFile string `toml:"sql_file"` // instead of SQL; [LoadSeed] reads it
}

// RegistrationSeed is a key set whose tokens an organization's databases take:
// that of a part of the stack, or any.
type RegistrationSeed struct {
	Name   string `toml:"name"`
	Issuer string `toml:"issuer"` // "clerk" or "auth0"
	URL    string `toml:"url"`    // instead of Issuer
}

// lifetime is a duration as TOML has it, as text.
type lifetime time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *lifetime) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err == nil && d <= 0 {
		err = fmt.Errorf("lifetime %s: want more than nothing", text)
	}
	*l = lifetime(d)
	return err
}

//go:embed default.toml
var defaultSeed []byte

// DefaultSeed is what a stack has that was given no other Seed.
func DefaultSeed() *Seed {
	seed, err := parseSeed(defaultSeed)
	if err != nil {
		panic(err) // it is in the binary, and tested
	}
	return seed
}

// LoadSeed reads a seed file (TOML) and the SQL files that it names, relative to
// it. A key that means nothing is an error.
func LoadSeed(path string) (*Seed, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read seed: %w", err)
	}
	seed, err := parseSeed(text)
	if err != nil {
		return nil, fmt.Errorf("read seed %s: %w", path, err)
	}
	for i := range seed.Turso.Organizations {
		databases := seed.Turso.Organizations[i].Databases
		for j := range databases {
			if err := databases[j].read(filepath.Dir(path)); err != nil {
				return nil, fmt.Errorf("read seed %s: %w", path, err)
			}
		}
	}
	return seed, nil
}

func (d *DatabaseSeed) read(dir string) error {
	if d.SQLFile == "" {
		return nil
	}
	if d.SQL != "" {
		return fmt.Errorf("database %q has both sql and sql_file", d.Name)
	}
	file := d.SQLFile
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	sql, err := os.ReadFile(file)
	d.SQL, d.SQLFile = string(sql), ""
	return err
}

func parseSeed(text []byte) (*Seed, error) {
	var seed Seed
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&seed)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		e := unknown.Errors[0]
		row, _ := e.Position()
		return nil, fmt.Errorf("line %d: no such key: %s", row, strings.Join(e.Key(), "."))
	case errors.As(err, &wrong):
		row, _ := wrong.Position()
		return nil, fmt.Errorf("line %d: %w", row, err)
	case err != nil:
		return nil, err
	}
	return &seed, seed.check()
}

// check finds what would otherwise be noticed late or not at all.
func (s *Seed) check() error {
	if len(s.Turso.Organizations) == 0 || len(s.Turso.Organizations[0].Members) == 0 || len(s.Turso.Organizations[0].Databases) == 0 {
		return errors.New("turso.organizations: want one with a member and a database at least")
	}
	for _, t := range s.Clerk.Templates {
		if err := s.checkClaims(t.ClaimsSeed); err != nil {
			return fmt.Errorf("template %q: %w", t.Name, err)
		}
	}
	if s.Auth0 != nil && s.Auth0.Action != nil {
		if err := s.checkClaims(*s.Auth0.Action); err != nil {
			return fmt.Errorf("auth0.action: %w", err)
		}
	}
	for _, o := range s.Turso.Organizations {
		for _, r := range o.Registrations {
			if (r.Issuer == "") == (r.URL == "") {
				return fmt.Errorf("registration %q: want either issuer or url", r.Name)
			}
			if r.Issuer != "" && r.Issuer != "clerk" && (r.Issuer != "auth0" || s.Auth0 == nil) {
				return fmt.Errorf("registration %q: issuer %q: want clerk, or auth0 where [auth0] is declared", r.Name, r.Issuer)
			}
		}
	}
	return nil
}

func (s *Seed) checkClaims(c ClaimsSeed) error {
	switch {
	case c.Access != "" && c.Access != "rw" && c.Access != "ro":
		return fmt.Errorf("access %q: want rw or ro", c.Access)
	case c.Database == "" && (c.Access != "" || len(c.Permissions) > 0):
		return errors.New("access and permissions are of a database: name one")
	case c.Database != "" && !s.declares(c.Database):
		return fmt.Errorf("database %q: want ORGANIZATION/DATABASE, as declared", c.Database)
	}
	return nil
}

// declares reports whether there is a database ORGANIZATION/DATABASE.
func (s *Seed) declares(path string) bool {
	return slices.ContainsFunc(s.Turso.Organizations, func(o OrganizationSeed) bool {
		return slices.ContainsFunc(o.Databases, func(d DatabaseSeed) bool { return o.Slug+"/"+d.Name == path })
	})
}

// primary is the database that the environment names.
func (s *Seed) primary() (organization, database string) {
	o := s.Turso.Organizations[0]
	return o.Slug, o.Databases[0].Name
}

// template is the first template for the primary database with an access, or "".
func (s *Seed) template(access string) string {
	organization, database := s.primary()
	for _, t := range s.Clerk.Templates {
		if t.Database == organization+"/"+database && len(t.Permissions) == 0 && (t.Access == access || t.Access == "" && access == "rw") {
			return t.Name
		}
	}
	return ""
}
