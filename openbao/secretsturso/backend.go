// Package secretsturso is a secrets engine for OpenBao and Vault: it holds a Turso
// API token, and makes short-lived tokens for one database each.
//
//	config              the API token (never readable), the organization
//	config/rotate-root  a new API token in place of the one that is held
//	config/check        what can be wrong, found out
//	roles/NAME          which database, with what rights, for how long
//	creds/NAME          a token, with a lease that ends when it does
//
// Turso can't revoke a single token. The token of a lease that is revoked early stays
// valid until it expires, which is why leases are short; a role with its own database may
// instead have all of that database's tokens revoked.
package secretsturso

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/openbao/internal/serve"
)

const (
	// maxLifetime is the longest lifetime of a token unless its role allows more.
	maxLifetime = 15 * time.Minute
	// walMinAge is the age at which an unfinished operation counts as abandoned: longer
	// than any call to Turso.
	walMinAge = time.Minute
)

const help = `
The turso secrets engine makes tokens for the databases of one Turso organization.

It holds an API token of the organization, which nobody can read again. A role names
a database (or a template of the caller's entity, for one database a tenant), ro or
rw, permissions on tables, and how long a token lives. Whoever may read creds/NAME
gets a token with a lease that ends with it.

Turso can't revoke a single token: one whose lease is revoked stays good until it
ends. A role with revoke="rotate" ends every token of its database instead.
`

// backend is one mount of the engine.
type backend struct {
	*framework.Backend
	http *http.Client
	now  func() time.Time

	writing sync.Mutex // guards changes of the configuration, rotations included

	cache *cache
}

// Factory makes the engine for a mount.
func Factory(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
	b := newBackend()
	config.System = serve.Remember(config.System)
	if err := b.Setup(ctx, config); err != nil {
		return nil, err
	}
	return b, nil
}

func newBackend() *backend {
	b := &backend{http: &http.Client{Transport: transport()}, now: time.Now, cache: newCache()}
	b.Backend = &framework.Backend{
		Help:           help,
		BackendType:    logical.TypeLogical,
		RunningVersion: serve.Version(),
		PathsSpecial: &logical.Paths{
			// Sudo is required in addition to a policy, so that a wildcard for the whole
			// mount doesn't cover the API token.
			Root:            []string{"config", "config/*"},
			SealWrapStorage: []string{configKey, framework.WALPrefix},
		},
		Paths: framework.PathAppend(
			[]*framework.Path{b.pathConfig(), b.pathRotateRoot(), b.pathCheck()},
			b.pathRoles(),
			[]*framework.Path{b.pathCreds()},
		),
		Secrets:           []*framework.Secret{b.secretToken()},
		WALRollback:       b.rollback,
		WALRollbackMinAge: walMinAge,
		Invalidate:        func(context.Context, string) { b.cache.forget() },
		Clean:             func(context.Context) { b.http.CloseIdleConnections() },
	}
	return b
}

// transport keeps a connection for each of many callers: with the default's two per
// address most requests would open a new one.
func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	return t
}
