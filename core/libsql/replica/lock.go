//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofrs/flock"

	"github.com/zen-auth/zen/core/provider"
)

// lockTimeout is how long another program may take to close the same replica.
const lockTimeout = 2 * time.Second

// lock makes sure that no other handle has the files: go-libsql keeps in memory how far
// a file has come, and two of it would write each other's frames again.
func (f files) lock(ctx context.Context) (*flock.Flock, error) {
	l := flock.New(f.marker(), flock.SetPermissions(0o600))
	waiting, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	locked, err := l.TryLockContext(waiting, 20*time.Millisecond)
	switch {
	case locked:
		return l, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) || err == nil:
		return nil, &provider.Error{
			Kind:    provider.ErrUnavailable,
			Message: fmt.Sprintf("replica %s is open elsewhere", f.path),
			Hint:    "close the other program, or give this one a replica of its own",
		}
	}
	return nil, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("replica %s can't be locked: %v", f.path, err), Err: err}
}
