package store

import (
	"context"
	"maps"
	"sync"

	"github.com/zen-auth/zen/core/provider"
)

// memory keeps records for the life of the process.
type memory struct {
	mu sync.Mutex
	// mu guards the fields below.
	records map[string]Record
	locks   map[string]chan struct{}
}

// NewMemory returns a store that writes nothing anywhere: StorageNone.
func NewMemory() *Store {
	s := New("")
	s.memory = &memory{records: map[string]Record{}, locks: map[string]chan struct{}{}}
	return s
}

// Ephemeral reports whether the store writes nothing, so that no one can have signed
// in before.
func (s *Store) Ephemeral() bool { return s.memory != nil }

func (m *memory) load(profile string) Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[profile].clone()
}

func (m *memory) save(profile string, r Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[profile] = r.clone()
}

// lock is Lock among the goroutines of this process.
func (m *memory) lock(ctx context.Context, s *Store, profile string, fn func(*Locked) error) error {
	m.mu.Lock()
	lock, ok := m.locks[profile]
	if !ok {
		lock = make(chan struct{}, 1)
		m.locks[profile] = lock
	}
	m.mu.Unlock()
	select {
	case lock <- struct{}{}:
		defer func() { <-lock }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return fn(&Locked{Record: m.load(profile), store: s, profile: profile, ctx: ctx, storage: StorageNone})
}

// clone shares no map with r, and has none that is nil.
func (r Record) clone() Record {
	r.Accounts, r.Tokens = maps.Clone(r.Accounts), maps.Clone(r.Tokens)
	r.Breakers, r.Refusals = maps.Clone(r.Breakers), maps.Clone(r.Refusals)
	if r.Accounts == nil {
		r.Accounts = map[string]Account{}
	}
	if r.Tokens == nil {
		r.Tokens = map[string]provider.Token{}
	}
	return r
}

func emptyRecord() Record { return Record{}.clone() }
