// Package measure times a function repeatedly, for programs that are compared with each
// other: each prints the output of Main.
package measure

import "time"

// Of runs fn n times, after a tenth of that to warm up, and returns how many milliseconds
// each took.
func Of(n int, fn func() error) ([]float64, error) {
	times := make([]float64, 0, n)
	for i := range n + n/10 + 1 {
		start := time.Now()
		if err := fn(); err != nil {
			return nil, err
		}
		if i > n/10 {
			times = append(times, float64(time.Since(start).Nanoseconds())/1e6)
		}
	}
	return times, nil
}
