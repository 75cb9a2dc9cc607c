//go:build cgo && linux && (amd64 || arm64)

package soak_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/audit"
	"github.com/zen-auth/zen/devstack/fault"
)

// maxFailures bounds how many failures are told in full.
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

// fail fails the test, in few words after many failures.
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

// watch tells every minute how it goes.
func (s *soak) watch(ctx context.Context, duration time.Duration) {
	began := time.Now()
	for sleep(ctx, time.Minute, time.Minute+1) {
		// Not by t.Log, which waits for the end.
		fmt.Fprintf(os.Stderr, "%s of %s: %s; %d goroutines, %d descriptors, %s\n", time.Since(began).Round(time.Second), duration, s.counts,
			runtime.NumGoroutine(), len(descriptors()), memory())
	}
}

// report tells what was gone through, and wants it to have been enough.
func (s *soak) report(home string, duration time.Duration) {
	s.t.Logf("%s", s.counts)
	events := map[string]int{}
	files, err := filepath.Glob(filepath.Join(home, "zen", "state", "audit.log*"))
	must(s.t, err)
	for _, name := range files {
		file, err := os.Open(name)
		must(s.t, err)
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var e audit.Event
			must(s.t, json.Unmarshal(lines.Bytes(), &e))
			events[fmt.Sprintf("%s %s", e.Kind, e.Outcome)]++
		}
		must(s.t, file.Close())
	}
	s.t.Logf("audit log: %v", events)
	s.t.Logf("%s", memory())
	for _, name := range []string{"queries", "rows written", "keys rotated", "providers killed", "key set broken at Turso", "network: " + fault.Cut, "failed: network"} {
		if s.counts.numbers[name] == 0 {
			s.t.Errorf("%s: none", name)
		}
	}
	if made := events["refresh ok"]; made < 5 {
		s.t.Errorf("%d tokens were made", made)
	}
	if duration < time.Minute {
		return // what comes of chance may not come
	}
	for _, event := range []string{"refused rejected by the server", "fallback ok", "return ok"} {
		if events[event] == 0 {
			s.t.Errorf("audit log: %s: none", event)
		}
	}
}

// memory is what the process has, and the most that it had.
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
