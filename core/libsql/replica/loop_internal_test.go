//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import (
	"testing"
	"time"
)

func TestBackOff(t *testing.T) {
	for _, test := range []struct {
		interval time.Duration
		failures int
		want     time.Duration
	}{
		{100 * time.Millisecond, 0, 100 * time.Millisecond},
		{100 * time.Millisecond, 1, 200 * time.Millisecond},
		{100 * time.Millisecond, 2, 400 * time.Millisecond},
		{100 * time.Millisecond, 1000, maxWait},
		{time.Hour, 3, time.Hour},
	} {
		if got := backOff(test.interval, test.failures); got < test.want || got > test.want+test.want/10 {
			t.Errorf("after %d failures at an interval of %s: %s, want %s and at most a tenth more", test.failures, test.interval, got, test.want)
		}
	}
}
