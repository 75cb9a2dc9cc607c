package turso

import (
	"context"
	"errors"
	"fmt"

	"github.com/zen-auth/zen/devstack/engine"
	"github.com/zen-auth/zen/devstack/fault"
)

// OrganizationInfo is the current state of an organization.
type OrganizationInfo struct {
	Slug          string
	Name          string
	Members       []Member
	Registrations []Registration
	Databases     []DatabaseInfo
}

// Member is a user of an organization.
type Member struct{ Name, Email, Role string }

// Registration is a key set whose tokens an organization's databases accept.
type Registration struct{ Name, URL, Region string }

// DatabaseInfo is a database and what was done with it since it was opened.
type DatabaseInfo struct {
	Database
	Group string
	engine.Stats
}

// Organizations returns what there is, sorted by slug; registrations are those
// that the Platform API lists.
func (s *Server) Organizations() []OrganizationInfo {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []OrganizationInfo
	for _, slug := range sortedKeys(s.state.Organizations) {
		o := s.state.Organizations[slug]
		info := OrganizationInfo{Slug: slug, Name: o.Name}
		for _, name := range sortedKeys(o.Members) {
			info.Members = append(info.Members, Member{name, s.state.Users[name].Email, o.Members[name]})
		}
		registered := o.JWKS
		if s.opts.Faults.On(fault.JWKSStuck) {
			registered = stuckJWKS(registered, s.opts.JWKSLimit)
		}
		for _, name := range sortedKeys(registered) {
			info.Registrations = append(info.Registrations, Registration{name, registered[name], s.regionOf(o, name)})
		}
		for _, name := range sortedKeys(o.Databases) {
			db := o.Databases[name]
			info.Databases = append(info.Databases, DatabaseInfo{db.public(), db.Group, db.stats()})
		}
		list = append(list, info)
	}
	return list
}

// Script runs statements in a database with full access, as `turso db shell` does
// with a file.
func (s *Server) Script(ctx context.Context, org, name, sql string) error {
	s.mu.RLock()
	db, err := s.find(org, name)
	s.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("run script: %w", err)
	}
	e, err := db.open()
	if err != nil {
		return err
	}
	conn, err := e.Conn(ctx)
	if err != nil {
		return fmt.Errorf("run script: %w", err)
	}
	defer conn.Close()
	if err := conn.Script(ctx, sql, engine.FullAccess); err != nil {
		return fmt.Errorf("run script in %s/%s: %w", org, name, err)
	}
	return nil
}

// DeleteDatabase destroys a database, as `turso db destroy` does.
func (s *Server) DeleteDatabase(org, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	db, err := s.find(org, name)
	if err != nil {
		return fmt.Errorf("delete database: %w", err)
	}
	return errors.Join(s.destroy(db), s.save())
}
