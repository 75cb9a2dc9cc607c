package turso

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/zen-auth/zen/devstack/engine"
)

// state is all that outlives a run, as it is kept in state.json.
type state struct {
	// DatabaseKey signs the tokens of databases, APIKey those of the Platform API.
	DatabaseKey   ed25519.PrivateKey       `json:"database_key"`
	APIKey        ed25519.PrivateKey       `json:"api_key"`
	Users         map[string]*user         `json:"users"`         // by name
	Organizations map[string]*organization `json:"organizations"` // by slug
	LastInvite    int                      `json:"last_invite,omitempty"`
}

type user struct {
	Name   string               `json:"name"`
	Email  string               `json:"email"`
	Tokens map[string]*apiToken `json:"tokens"` // by name
}

// apiToken holds what is remembered of a token of the Platform API: not the token.
type apiToken struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Organization string   `json:"organization,omitempty"` // slug, if it is limited to one
	Group        string   `json:"group,omitempty"`
	Scopes       []string `json:"scopes,omitempty"`
	CreatedAt    string   `json:"created_at"` // RFC 3339
}

type organization struct {
	ID        string               `json:"id"`
	Slug      string               `json:"slug"`
	Name      string               `json:"name"`
	Personal  bool                 `json:"personal"`
	Members   map[string]string    `json:"members"` // user name to role
	Groups    map[string]*group    `json:"groups"`
	Databases map[string]*database `json:"databases"`
	JWKS      map[string]string    `json:"jwks"`                   // name to URL
	Regions   map[string]string    `json:"jwks_regions,omitempty"` // of registrations that name one
	Overages  bool                 `json:"overages,omitempty"`
	Invites   map[string]*invite   `json:"invites,omitempty"` // by address
	Audit     []auditEntry         `json:"audit,omitempty"`
}

type group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	role
	DeleteProtection bool `json:"delete_protection,omitempty"`
}

type database struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Group  string `json:"group"`
	Path   string `json:"path"`             // the name under /dbs/
	Parent string `json:"parent,omitempty"` // name of the database that it is a branch of
	role
	Config databaseConfig `json:"config"`

	org  *organization
	file string // "" in memory

	checkpointFrames int // as Options have it

	mu sync.Mutex // guards db
	db *engine.DB // nil until it is used
}

// role is the role that tokens are minted for. Rotating it invalidates them.
type role struct {
	Role    string `json:"role"`
	Rotated int64  `json:"rotated,omitempty"` // Unix seconds
}

// open returns the database, opening it when it is first used.
func (d *database) open() (*engine.DB, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.db == nil {
		db, err := engine.Open(engine.Options{Path: d.file, CheckpointFrames: d.checkpointFrames})
		if err != nil {
			return nil, fmt.Errorf("open database %q: %w", d.Name, err)
		}
		d.db = db
	}
	return d.db, nil
}

// stats are since the start. A database that was not used since has its size.
func (d *database) stats() (st engine.Stats) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.db != nil {
		return d.db.Stats()
	}
	for _, suffix := range []string{"", "-wal"} {
		if fi, err := os.Stat(d.file + suffix); d.file != "" && err == nil {
			st.StorageBytes += fi.Size()
		}
	}
	return st
}

func (d *database) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.db == nil {
		return nil
	}
	return d.db.Close()
}

// load reads the state of an earlier run, or starts with an empty one.
func (s *Server) load() error {
	s.state = state{
		DatabaseKey: newKey(), APIKey: newKey(),
		Users: make(map[string]*user), Organizations: make(map[string]*organization),
	}
	if s.opts.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(s.opts.Dir, "databases"), 0o700); err != nil {
		return err
	}
	b, err := os.ReadFile(s.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return s.save()
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &s.state); err != nil {
		return fmt.Errorf("read %s: %w", s.stateFile(), err)
	}
	for _, org := range s.state.Organizations {
		for _, db := range org.Databases {
			s.attach(org, db)
		}
	}
	return nil
}

// attach makes a database reachable.
func (s *Server) attach(org *organization, db *database) {
	db.org, db.checkpointFrames = org, s.opts.CheckpointFrames
	if s.opts.Dir != "" {
		db.file = filepath.Join(s.opts.Dir, "databases", db.ID+".db")
	}
	s.paths[db.Path] = db
}

func (s *Server) stateFile() string { return filepath.Join(s.opts.Dir, "state.json") }

// save writes the state, which holds signing keys, so that a reader sees the old
// one or the new one.
func (s *Server) save() (err error) {
	if s.opts.Dir == "" {
		return nil
	}
	b, err := json.MarshalIndent(&s.state, "", "\t")
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	f, err := os.CreateTemp(s.opts.Dir, "state-*.tmp") // 0600
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	return os.Rename(f.Name(), s.stateFile())
}
