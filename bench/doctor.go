package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// doctorRuns is how often zen doctor runs.
const doctorRuns = 10

// examination measures zen doctor on a healthy stack of its own, with a network in between.
func examination(*stack, string) (err error) {
	far, err := startStack("--latency", addedTrip.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, far.stop()) }()
	if _, err := far.zen("login", "--provider", "clerk"); err != nil {
		return err
	}
	var took []time.Duration
	for range doctorRuns {
		began := time.Now()
		if _, err := far.zen("doctor", "--quiet"); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	fmt.Printf("\nzen doctor, median of %d, with %s added to each request: %.2f s\n", doctorRuns, addedTrip, took[doctorRuns/2].Seconds())
	return nil
}
