package libsql

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Embedded are the modes that need go-libsql. Package replica registers them.
type Embedded struct {
	Replica func(context.Context, ReplicaConfig) (driver.Connector, error)
	Local   func(LocalConfig) (driver.Connector, error)
}

// ReplicaConfig is what a replica needs.
type ReplicaConfig struct {
	// Link reaches the database. The connector owns it, and closes it also when
	// opening fails.
	Link *Link
	// Target is the database, for errors.
	Target       provider.Target
	Path         string
	ReadOnly     bool
	AllowStale   bool
	SyncInterval time.Duration
	OnSync       func(Synced)
	// TimesAsText is that of Options.
	TimesAsText bool
}

// LocalConfig is what a local database needs.
type LocalConfig struct {
	// Path is a file, or :memory:.
	Path       string
	ReadOnly   bool
	Encryption provider.Secret
	// BusyTimeout is how long a statement waits for another connection's lock.
	BusyTimeout time.Duration
	// Immediate transactions take the write lock when they begin.
	Immediate bool
	// TimesAsText is that of Options.
	TimesAsText bool
}

var embedded *Embedded

// RegisterEmbedded makes the modes replica and local known. It is called once, by the
// init of package replica; a second call panics.
func RegisterEmbedded(e Embedded) {
	if embedded != nil {
		panic("libsql: RegisterEmbedded called twice")
	}
	embedded = &e
}

// errNotLinked is for programs that don't import package replica.
func errNotLinked(mode Mode) error {
	return misfit("mode %s is not linked into this program", `import _ "github.com/zen-auth/zen/core/libsql/replica"`, mode)
}
