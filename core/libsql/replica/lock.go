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

// lockTimeout limits how long a sync waits for another program's.
const lockTimeout = 2 * time.Second

// lock makes sure that no other handle syncs the files: two at once would write each
// other's frames again. It waits for patience, and not at all without.
func (f files) lock(ctx context.Context, patience time.Duration) (*flock.Flock, error) {
	l := flock.New(f.marker(), flock.SetPermissions(0o600))
	locked, err := l.TryLock()
	if !locked && err == nil && patience > 0 {
		waiting, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		locked, err = l.TryLockContext(waiting, 5*time.Millisecond)
	}
	switch {
	case locked:
		return l, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil || errors.Is(err, context.DeadlineExceeded):
		return nil, &provider.Error{
			Kind:    provider.ErrUnavailable,
			Message: fmt.Sprintf("another program is syncing replica %s", f.path),
			Hint:    "try again when it is done, or use a replica of your own",
			Err:     errBusy,
		}
	}
	return nil, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("replica %s can't be locked: %v", f.path, err), Err: err}
}
