package link

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
)

// Embedded opens what needs go-libsql. Package replica registers it.
type Embedded struct {
	// Replica opens the replica of the database that link reaches. The connector owns the
	// link, and closes it also when opening fails. Its connections implement Syncer.
	Replica func(ctx context.Context, link *Link, options Options) (driver.Connector, error)
	// Local opens the file at Options.Path, or :memory:.
	Local func(options Options) (driver.Connector, error)
}

// Options are the fields of libsql.Options that the embedded modes act on, with the defaults
// of the mode filled in.
type Options struct {
	Target       provider.Target
	Path         string
	ReadOnly     bool
	AllowStale   bool
	SyncInterval time.Duration
	OnSync       func(Synced)
	Encryption   provider.Secret
	Timeout      time.Duration
	TxMode       hrana.TxMode
	TimesAsText  bool
}

// Synced and Progress are those of package libsql.
type (
	Synced struct {
		Progress  Progress
		Changed   bool
		Recovered string
		Took      time.Duration
		Err       error
		Failures  int
		Next      time.Time
	}
	Progress struct{ Generation, Frame uint32 }
)

// Syncer is a connection of a replica, as sql.Conn.Raw shows it.
type Syncer interface {
	Sync(ctx context.Context) (Synced, error)
}

var embedded *Embedded

// Register makes the embedded modes known. It is called once, by the init of package
// replica; a second call panics.
func Register(e Embedded) {
	if embedded != nil {
		panic("link: Register called twice")
	}
	embedded = &e
}

// Registered returns the embedded modes, or nil if this program has none.
func Registered() *Embedded { return embedded }
