package libsql

import (
	"cmp"
	"context"
	"database/sql/driver"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// defaultBusyTimeout is how long a local statement waits for another's lock. SQLite's
// own default is not to wait at all.
const defaultBusyTimeout = 5 * time.Second

func openReplica(ctx context.Context, options Options) (driver.Connector, error) {
	if embedded == nil {
		return nil, errNotLinked(Replica)
	}
	link, err := Dial(options)
	if err != nil {
		return nil, err
	}
	return embedded.Replica(ctx, link, options)
}

func openLocal(options Options) (driver.Connector, error) {
	if embedded == nil {
		return nil, errNotLinked(Local)
	}
	path, err := LocalPath(options.Target.URL)
	if err != nil {
		return nil, err
	}
	options.ReadOnly = options.ReadOnly || options.Access == provider.AccessReadOnly
	options.Timeout = cmp.Or(options.Timeout, defaultBusyTimeout)
	return embedded.Local(path, options)
}
