//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"database/sql/driver"

	"github.com/zen-auth/zen/internal/sqlite"
)

// checkArgs reports arguments that don't fit a statement's parameters, which SQLite
// would bind NULL to, or ignore. params are their names by number, "" for ?.
func checkArgs(params []string, args []driver.NamedValue) error {
	var p sqlite.Params
	for _, name := range params {
		if name == "" {
			name = "?"
		}
		if err := p.Add(name); err != nil {
			return err
		}
	}
	return p.Check(args)
}
