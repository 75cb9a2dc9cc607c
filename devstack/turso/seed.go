package turso

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// defaultGroup is the group that every organization starts with.
const defaultGroup = "default"

// Errors of the methods that change what the server holds.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
)

// Names are part of paths.
var validName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`) })

func checkName(kind, name string) error {
	if !validName().MatchString(name) || len(name) > 58 {
		return fmt.Errorf("%s name %q: want lower-case letters, digits and hyphens, at most 58", kind, name)
	}
	return nil
}

// CreateUser creates a user, who may then mint API tokens.
func (s *Server) CreateUser(name, email string) error {
	if err := checkName("user", name); err != nil {
		return fmt.Errorf("create user: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Users[name] != nil {
		return fmt.Errorf("create user %q: %w", name, ErrExists)
	}
	s.state.Users[name] = &user{Name: name, Email: email, Tokens: make(map[string]*apiToken)}
	return s.save()
}

// Organization is an organization to create.
type Organization struct {
	Slug     string
	Name     string   // the slug if empty
	Personal bool     // of one user: its paths may leave out the slug
	Members  []string // users; the first is the owner
}

// CreateOrganization creates an organization with the group "default".
func (s *Server) CreateOrganization(o Organization) error {
	if err := checkName("organization", o.Slug); err != nil {
		return fmt.Errorf("create organization: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.createOrganization(o)
	return err
}

func (s *Server) createOrganization(o Organization) (*organization, error) {
	if s.state.Organizations[o.Slug] != nil {
		return nil, fmt.Errorf("create organization %q: %w", o.Slug, ErrExists)
	}
	org := &organization{
		ID: uuid.NewString(), Slug: o.Slug, Name: o.Name, Personal: o.Personal,
		Members:   make(map[string]string),
		Groups:    map[string]*group{defaultGroup: newGroup(defaultGroup)},
		Databases: make(map[string]*database),
		JWKS:      make(map[string]string),
	}
	org.Name = cmp.Or(org.Name, o.Slug)
	for i, m := range o.Members {
		if s.state.Users[m] == nil {
			return nil, fmt.Errorf("create organization %q: user %q: %w", o.Slug, m, ErrNotFound)
		}
		org.Members[m] = roleMember
		if i == 0 {
			org.Members[m] = roleOwner
		}
	}
	s.state.Organizations[o.Slug] = org
	return org, s.save()
}

func newGroup(name string) *group {
	return &group{ID: uuid.NewString(), Name: name, role: newRole(0)}
}

func newRole(rotated int64) role { return role{Role: uuid.NewString(), Rotated: rotated} }

// Database describes how to reach a database.
type Database struct {
	ID   string // what a token names it by
	Name string
	Path string // of its URL: /dbs/NAME
}

// CreateDatabase creates an empty database in the group "default".
func (s *Server) CreateDatabase(org, name string) (Database, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.state.Organizations[org]
	if o == nil {
		return Database{}, fmt.Errorf("create database %q: organization %q: %w", name, org, ErrNotFound)
	}
	db, err := s.createDatabase(o, name, defaultGroup)
	if err != nil {
		return Database{}, err
	}
	return db.public(), nil
}

func (d *database) public() Database { return Database{ID: d.ID, Name: d.Name, Path: "/dbs/" + d.Path} }

func (s *Server) createDatabase(org *organization, name, group string) (*database, error) {
	if err := checkName("database", name); err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	if org.Databases[name] != nil {
		return nil, fmt.Errorf("create database %q: %w", name, ErrExists)
	}
	db := &database{ID: uuid.NewString(), Name: name, Group: group, Path: name, role: newRole(0)}
	if s.paths[name] != nil { // another organization's
		db.Path = name + "-" + org.Slug
	}
	if s.paths[db.Path] != nil {
		return nil, fmt.Errorf("create database %q: path %q: %w", name, db.Path, ErrExists)
	}
	s.attach(org, db)
	org.Databases[name] = db
	return db, s.save()
}

// Databases returns the databases of an organization, sorted by name.
func (s *Server) Databases(org string) []Database {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.state.Organizations[org]
	if o == nil {
		return nil
	}
	var list []Database
	for _, name := range sortedKeys(o.Databases) {
		list = append(list, o.Databases[name].public())
	}
	return list
}

// RegisterJWKS makes the organization's databases accept what the keys at the URL
// signed. A registration of that name is replaced, and keeps its region.
func (s *Server) RegisterJWKS(org, name, url string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.state.Organizations[org]
	if o == nil {
		return fmt.Errorf("register jwks: organization %q: %w", org, ErrNotFound)
	}
	return s.registerJWKS(o, name, url, o.Regions[name])
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
