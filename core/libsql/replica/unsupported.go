//go:build !(cgo && ((linux && (amd64 || arm64)) || (darwin && arm64)))

package replica

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/link"
)

// Linked reports whether this program has the modes: go-libsql needs cgo, and Linux
// (amd64, arm64) or macOS (arm64).
const Linked = false

func init() {
	link.Register(link.Embedded{
		Replica: func(_ context.Context, l *link.Link, _ link.Options) (driver.Connector, error) {
			return nil, errors.Join(unsupported(libsql.Replica), l.Close())
		},
		Local: func(link.Options) (driver.Connector, error) { return nil, unsupported(libsql.Local) },
	})
}

// unsupported returns the error of both modes.
func unsupported(mode libsql.Mode) error {
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("mode %s: this program was built without go-libsql (%s/%s)", mode, runtime.GOOS, runtime.GOARCH),
		Hint:    "build it with CGO_ENABLED=1 on Linux (amd64, arm64) or macOS (arm64), or use mode remote",
	}
}
