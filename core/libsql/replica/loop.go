//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/zen-auth/zen/internal/link"
)

// maxWait is the longest wait after failures, where the interval itself is shorter.
const maxWait = time.Minute

// loop syncs every now and then.
type loop struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

func startLoop(interval time.Duration, told func(link.Synced), sync func(context.Context) (link.Synced, error)) *loop {
	ctx, cancel := context.WithCancel(context.Background())
	l := &loop{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		failures := 0
		for timer := time.NewTimer(interval); ; {
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
			synced, err := sync(ctx)
			if ctx.Err() != nil {
				return
			}
			if failures++; err == nil {
				failures = 0
			}
			wait := backOff(interval, failures)
			synced.Err, synced.Failures, synced.Next = err, failures, time.Now().Add(wait)
			if told != nil {
				told(synced)
			}
			timer.Reset(wait)
		}
	}()
	return l
}

// stop ends the loop and waits for it. It must not be called by the callback.
func (l *loop) stop() {
	l.cancel()
	<-l.ended
}

// backOff doubles the wait with each failure, and spreads it by a tenth, so that
// replicas that failed together don't come back together.
func backOff(interval time.Duration, failures int) time.Duration {
	wait := interval
	for range min(failures, 16) {
		wait = min(2*wait, max(interval, maxWait))
	}
	return wait + time.Duration(rand.Int64N(int64(wait)/10+1))
}
