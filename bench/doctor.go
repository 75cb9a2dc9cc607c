package main

import (
	"errors"
)

// doctorRuns is the number of runs of zen doctor.
const doctorRuns = 10

// examination measures zen doctor on its own healthy stack, with a simulated network in
// between.
func (b *bench) examination() (err error) {
	far, err := startStack("--latency", addedTrip.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, far.stop()) }()
	if _, err := far.zen("login", "--provider", "clerk"); err != nil {
		return err
	}
	p := program{name: "zen doctor", args: []string{"bin/zen", "doctor", "--quiet"}, env: far.environment}
	return b.processes("doctor, 20 ms away", doctorRuns, nil, p)
}
