package devstack

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/zen-auth/zen/core/provider"
)

// maxSeed is the largest seed, and the largest of its SQL files.
const maxSeed = 1 << 30

//go:embed default.toml
var defaultSeed []byte

// DefaultSeed returns the seed of a stack that was given no other.
func DefaultSeed() *Seed {
	seed, err := parseSeed(defaultSeed)
	if err != nil {
		panic(err) // it is in the binary, and tested
	}
	return seed
}

// LoadSeed reads a seed file (TOML) and the SQL files that it names, relative to it. An
// unknown key is an error.
func LoadSeed(path string) (*Seed, error) {
	text, err := provider.ReadFile(path, maxSeed)
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
	sql, err := provider.ReadFile(file, maxSeed)
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

// check finds errors that would otherwise be noticed late or not at all.
func (s *Seed) check() error {
	if len(s.Turso.Organizations) == 0 || len(s.Turso.Organizations[0].Members) == 0 || len(s.Turso.Organizations[0].Databases) == 0 {
		return errors.New("turso.organizations: want one with a member and a database at least")
	}
	for _, t := range s.Clerk.Templates {
		if err := s.checkClaims(t.ClaimsSeed); err != nil {
			return fmt.Errorf("template %q: %w", t.Name, err)
		}
	}
	if s.Clerk.SessionToken != nil {
		if err := s.checkClaims(*s.Clerk.SessionToken); err != nil {
			return fmt.Errorf("clerk.session_token: %w", err)
		}
	}
	for _, o := range s.Clerk.Organizations {
		if err := s.checkClaims(ClaimsSeed{Database: o.Database}); err != nil {
			return fmt.Errorf("clerk organization %q: %w", o.Slug, err)
		}
	}
	if path := s.Clerk.ProxyPath; path != "" && (!strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") || len(path) < 2) {
		return fmt.Errorf("clerk.proxy_path %q: want a path such as /__clerk", path)
	}
	if s.Auth0 != nil {
		for _, o := range s.Auth0.Organizations {
			if err := s.checkClaims(ClaimsSeed{Database: o.Database}); err != nil {
				return fmt.Errorf("auth0 organization %q: %w", o.Name, err)
			}
		}
		for name, action := range map[string]*ActionSeed{"action": s.Auth0.Action, "machine_action": s.Auth0.MachineAction} {
			if action == nil {
				continue
			}
			if err := s.checkClaims(action.ClaimsSeed); err != nil {
				return fmt.Errorf("auth0.%s: %w", name, err)
			}
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

// primary returns the database that the environment names.
func (s *Seed) primary() (organization, database string) {
	o := s.Turso.Organizations[0]
	return o.Slug, o.Databases[0].Name
}

// template returns the first template for the primary database with an access, or "".
func (s *Seed) template(access string) string {
	organization, database := s.primary()
	for _, t := range s.Clerk.Templates {
		if t.Database == organization+"/"+database && len(t.Permissions) == 0 && (t.Access == access || t.Access == "" && access == "rw") {
			return t.Name
		}
	}
	return ""
}
