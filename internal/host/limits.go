package host

import (
	"strings"
	"time"
)

// limits are the time limits of a provider.
type limits struct {
	// start is from the start of the process to the answer of the first call.
	start time.Duration
	// local is for calls that don't use the network, remote for those that do. An
	// earlier deadline of the caller stays.
	local, remote time.Duration
	// repair is for a Fix, which may make several things and wait for each.
	repair time.Duration
	// graceful is for the provider to end by itself, after which its process group
	// is killed; stop is for all of it.
	graceful, stop time.Duration
	// idle is the time after which a process that isn't called is stopped.
	idle time.Duration
}

var defaultLimits = limits{
	start:    10 * time.Second,
	local:    10 * time.Second,
	remote:   30 * time.Second,
	repair:   3 * time.Minute,
	graceful: time.Second,
	stop:     3 * time.Second,
	idle:     10 * time.Minute,
}

// call returns the limit of a method, given by its full name; zero means none. A login
// takes as long as a person does, and ends with its context.
func (l limits) call(method string) time.Duration {
	switch method[strings.LastIndexByte(method, '/')+1:] {
	case "Describe", "Configure", "Setup":
		return l.local
	case "Fix":
		return l.repair
	case "Login":
		return 0
	}
	return l.remote
}
