//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/fault"
)

// maxFailures is the number of failures that are reported in full.
const maxFailures = 20

// counts are numbers by name.
type counts struct {
	mu      sync.Mutex // guards what is below
	numbers map[string]int
	slowest time.Duration
	failed  int
}

func (c *counts) add(name string) { c.n(name, 1) }

func (c *counts) n(name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.numbers == nil {
		c.numbers = map[string]int{}
	}
	c.numbers[name] += n
}

func (c *counts) query(took time.Duration) {
	c.add("queries")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slowest = max(c.slowest, took)
}

func (c *counts) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.numbers)) {
		fmt.Fprintf(&b, "%s %d, ", name, c.numbers[name])
	}
	fmt.Fprintf(&b, "slowest query %s", c.slowest.Round(time.Millisecond))
	return b.String()
}

// fail fails the test, without a message after many failures.
func (s *soak) fail(format string, args ...any) {
	s.counts.mu.Lock()
	s.counts.failed++
	n := s.counts.failed
	s.counts.mu.Unlock()
	if n <= maxFailures {
		s.t.Errorf(format, args...)
	} else {
		s.t.Fail()
	}
}

// check fails the test, from any goroutine, on an error that shouldn't happen.
func (s *soak) check(err error) {
	if err != nil {
		s.fail("%v", err)
	}
}

// watch prints the progress every minute.
func (s *soak) watch(ctx context.Context, duration time.Duration) {
	began := time.Now()
	for sleep(ctx, time.Minute, time.Minute+1) {
		// Not by t.Log, which prints only at the end.
		fmt.Fprintf(os.Stderr, "%s of %s: %s; %d goroutines, %d descriptors, %s\n", time.Since(began).Round(time.Second), duration, s.counts,
			runtime.NumGoroutine(), len(descriptors()), memory())
	}
}

// report logs the counts, and fails the test if too little happened.
func (s *soak) report(duration time.Duration) {
	s.t.Logf("%s", s.counts)
	s.t.Logf("%s", memory())
	for _, text := range s.wanting(duration) {
		s.t.Error(text)
	}
}

// wanting describes the events that have not happened often enough yet.
func (s *soak) wanting(duration time.Duration) (texts []string) {
	enough := map[string]int{
		"queries": 1000, "rows written": 100, "failed: network": 10, "network: " + fault.Cut: 1,
		"keys rotated": 2, "providers killed": 2, "key set broken at Turso": 1, "audit: refresh ok": 5,
	}
	if duration >= time.Minute { // in a shorter run, random events may not happen
		maps.Copy(enough, map[string]int{"audit: refused rejected by the server": 10, "audit: fallback ok": 2})
	}
	if duration >= 20*time.Minute { // after a trial that the network failed, the next one waits longer
		enough["audit: return ok"] = 1
	}
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	for name, least := range enough {
		if got := s.counts.numbers[name]; got < least {
			texts = append(texts, fmt.Sprintf("%s: %d, want %d", name, got, least))
		}
	}
	return texts
}

// memory describes the process's memory now, and its maximum.
func memory() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err.Error()
	}
	var now, most string
	for line := range strings.Lines(string(status)) {
		switch name, value, _ := strings.Cut(line, ":"); name {
		case "VmRSS":
			now = strings.TrimSpace(value)
		case "VmHWM":
			most = strings.TrimSpace(value)
		}
	}
	return "memory " + now + ", at most " + most
}
