// Package testwait waits in tests for what happens without a signal: another
// process, what the kernel shows of one, a goroutine of a library's. What a test could be
// told by a channel, or by testing/synctest, doesn't wait here.
package testwait

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

const (
	pause = 5 * time.Millisecond
	// patience is no bound of how long something may take: who waits longer has found
	// something that hangs.
	patience = 3 * time.Minute
)

// Until waits until done, and fails the test if it never is.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	if err := Done(t.Context(), done); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Done is Until for those that have no testing.TB.
func Done(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("it never happened"))
	defer cancel()
	ticks := time.NewTicker(pause)
	defer ticks.Stop()
	for !done() {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Moment lets another process run for a random time between the two: until a moment at
// which it is killed, or looked at.
func Moment(ctx context.Context, least, most time.Duration) {
	For(ctx, least+rand.N(most-least))
}

// For lets that much time pass, where another process has to see it pass by its own clock,
// or a load has its pauses.
func For(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
