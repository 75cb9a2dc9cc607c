// Package measure times a function many times over, for programs that are
// compared with each other: each prints what Print does.
package measure

import (
	"slices"
	"time"
)

// Sample is the outcome of one program, in nanoseconds.
type Sample struct {
	Median, P90 int64
}

// Of runs fn n times, after a tenth of that to warm up.
func Of(n int, fn func() error) (Sample, error) {
	times := make([]int64, 0, n)
	for i := range n + n/10 + 1 {
		start := time.Now()
		if err := fn(); err != nil {
			return Sample{}, err
		}
		if i > n/10 {
			times = append(times, time.Since(start).Nanoseconds())
		}
	}
	slices.Sort(times)
	return Sample{Median: times[len(times)/2], P90: times[len(times)*9/10]}, nil
}
