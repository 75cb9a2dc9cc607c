package libsql

import (
	"cmp"
	"context"
	"database/sql/driver"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/link"
)

// defaultBusyTimeout is how long a local statement waits for another's lock. SQLite's
// own default is not to wait at all.
const defaultBusyTimeout = 5 * time.Second

func openReplica(ctx context.Context, options Options) (driver.Connector, error) {
	embedded := link.Registered()
	if embedded == nil {
		return nil, errNotLinked(Replica)
	}
	remote, err := dial(options)
	if err != nil {
		return nil, err
	}
	return embedded.Replica(ctx, remote, options.embedded())
}

func openLocal(options Options) (driver.Connector, error) {
	embedded := link.Registered()
	if embedded == nil {
		return nil, errNotLinked(Local)
	}
	path, err := LocalPath(options.Target.URL)
	if err != nil {
		return nil, err
	}
	options.Path = path
	options.ReadOnly = options.ReadOnly || options.Access == provider.AccessReadOnly
	options.Timeout = cmp.Or(options.Timeout, defaultBusyTimeout)
	return embedded.Local(options.embedded())
}

// errNotLinked is for programs that don't import package replica.
func errNotLinked(mode Mode) error {
	return misfit("mode %s is not linked into this program", `import _ "github.com/zen-auth/zen/core/libsql/replica"`, mode)
}

// embedded returns what package replica needs to know.
func (o Options) embedded() link.Options {
	e := link.Options{
		Target: o.Target, Path: o.Path, ReadOnly: o.ReadOnly, AllowStale: o.AllowStale, SyncInterval: o.SyncInterval,
		Encryption: o.Encryption, Timeout: o.Timeout, TxMode: o.TxMode, TimesAsText: o.TimesAsText,
	}
	if o.OnSync != nil {
		e.OnSync = func(s link.Synced) { o.OnSync(newSynced(s)) }
	}
	return e
}
