package breaker_test

import (
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/breaker"
)

func TestBackoff(t *testing.T) {
	var b breaker.Backoff
	now := start
	if wait := b.Remaining(now); wait != 0 {
		t.Errorf("the first refusal has to wait for %s", wait)
	}
	for i, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
		b = b.Renewed(now)
		if wait := b.Remaining(now); wait != want {
			t.Errorf("after %d new tokens: %s, want %s", i+1, wait, want)
		}
		if wait := b.Remaining(now.Add(want - time.Second)); wait != time.Second {
			t.Errorf("a second before the end: %s", wait)
		}
		now = now.Add(want)
		if wait := b.Remaining(now); wait != 0 {
			t.Errorf("at the end: %s", wait)
		}
	}
	if wait := b.Remaining(now.Add(-time.Hour)); wait != 0 {
		t.Errorf("after the clock was set back: %s", wait)
	}
}
