package secretsturso

import (
	"context"
	"sync"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/core/turso"
)

// maxCached is the largest number of cached roles, and of databases: a template has one
// for each tenant.
const maxCached = 10_000

// cache holds what a token needs, without a call to the server for each. Only the active
// node issues tokens and writes; a node that becomes active restarts its plugins.
type cache struct {
	mu sync.Mutex // guards all below
	// generation counts changes: a value read before a change isn't cached after it.
	generation int
	config     *config // never modified once cached; nil means unknown
	roles      map[string]*role
	databases  map[databaseKey]turso.Database
}

func newCache() *cache {
	return &cache{roles: map[string]*role{}, databases: map[databaseKey]turso.Database{}}
}

// forget drops everything after a change.
func (c *cache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.config = nil
	clear(c.roles)
	clear(c.databases)
}

// knownConfig is b.config without a read of the storage, where it is known.
func (b *backend) knownConfig(ctx context.Context, s logical.Storage) (*config, error) {
	b.cache.mu.Lock()
	known, generation := b.cache.config, b.cache.generation
	b.cache.mu.Unlock()
	if known != nil {
		return known, nil
	}
	conf, err := b.config(ctx, s)
	if err != nil || conf == nil {
		return nil, err
	}
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	if b.cache.generation == generation {
		b.cache.config = conf
	}
	return conf, nil
}

// knownRole is b.role without a read of the storage, where it is known.
func (b *backend) knownRole(ctx context.Context, s logical.Storage, name string) (*role, error) {
	b.cache.mu.Lock()
	known, generation := b.cache.roles[name], b.cache.generation
	b.cache.mu.Unlock()
	if known != nil {
		return known, nil
	}
	r, err := b.role(ctx, s, name)
	if err != nil || r == nil {
		return nil, err
	}
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	if b.cache.generation == generation {
		if len(b.cache.roles) >= maxCached {
			clear(b.cache.roles)
		}
		b.cache.roles[name] = r
	}
	return r, nil
}
