package libsql

import (
	"context"
	"database/sql/driver"
)

// Embedded are the modes that need go-libsql. Package replica registers them. Options
// are those of Open, with the defaults of the mode filled in.
type Embedded struct {
	// Replica opens the replica of a database that link reaches. The connector owns the
	// link, and closes it also when opening fails.
	Replica func(ctx context.Context, link *Link, options Options) (driver.Connector, error)
	// Local opens the file at path, or :memory:.
	Local func(path string, options Options) (driver.Connector, error)
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
