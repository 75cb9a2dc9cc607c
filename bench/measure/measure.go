// Package measure times a function many times over, for programs that are
// compared with each other: each prints what Print does.
package measure

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
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

// SelectOne times SELECT 1, and prints the sample as JSON.
func SelectOne(db *sql.DB, n int) {
	sample, err := Of(n, func() error {
		var one int
		return db.QueryRow("SELECT 1").Scan(&one)
	})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(sample)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
