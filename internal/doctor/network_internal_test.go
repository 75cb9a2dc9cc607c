package doctor

import (
	"testing"
	"time"
)

// A latency of 20 ms is not slow, and neither is the latency to another continent.
func TestSlow(t *testing.T) {
	for _, test := range []struct {
		pace pace
		want bool
	}{
		{pace{20 * time.Millisecond, 0}, false},
		{pace{320 * time.Millisecond, 10 * time.Millisecond}, false},
		{pace{500 * time.Millisecond, 0}, true},
		{pace{time.Millisecond, 50 * time.Millisecond}, true},
	} {
		if got := test.pace.slow(); got != test.want {
			t.Errorf("%+v.slow() = %v", test.pace, got)
		}
	}
}
