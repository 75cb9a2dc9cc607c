package libsql

import (
	"cmp"
	"context"
	"database/sql/driver"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
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
	return embedded.Replica(ctx, ReplicaConfig{
		Link: link, Target: options.Target, Path: options.Path,
		ReadOnly: options.ReadOnly, AllowStale: options.AllowStale,
		SyncInterval: options.SyncInterval, OnSync: options.OnSync, TimesAsText: options.TimesAsText,
	})
}

func openLocal(options Options) (driver.Connector, error) {
	if embedded == nil {
		return nil, errNotLinked(Local)
	}
	path, err := LocalPath(options.Target.URL)
	if err != nil {
		return nil, err
	}
	return embedded.Local(LocalConfig{
		Path: path, ReadOnly: options.ReadOnly || options.Access == provider.AccessReadOnly, Encryption: options.Encryption,
		BusyTimeout: cmp.Or(options.Timeout, defaultBusyTimeout), Immediate: options.TxMode == hrana.Immediate,
		TimesAsText: options.TimesAsText,
	})
}
