// Package testwait waits in tests for events without a signal: in another process, in what
// the kernel shows of one, in a library's goroutine. A test that can use a channel or
// testing/synctest doesn't need it.
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
	// patience doesn't limit how long something may take: a test that waits for longer has
	// found a hang.
	patience = 3 * time.Minute
)

// Until waits until done returns true, and fails the test if it never does.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	if err := Done(t.Context(), done); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Done is Until without a testing.TB.
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

// Moment waits for a random time from least to most, while another process runs that is then
// killed or examined.
func Moment(ctx context.Context, least, most time.Duration) {
	For(ctx, least+rand.N(most-least))
}

// For waits for the time d, where another process has to measure it by its own clock, or as a
// pause under load.
func For(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
