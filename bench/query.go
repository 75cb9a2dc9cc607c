package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/bench/measure"
	"github.com/zen-auth/zen/bench/report"
)

const (
	queryRounds = 3
	addedTrip   = 20 * time.Millisecond
)

// driver is a client's program, and its environment in addition to the bench's own.
type driver struct {
	name    string
	program []string
	env     []string
}

// drivers returns the available drivers. The first is zen's.
func (b *bench) drivers() []driver {
	drivers := []driver{
		{"core/libsql", []string{filepath.Join(b.dir, "ours")}, nil},
		{"libsql-client-go", []string{filepath.Join(b.dir, "libsqlclientgo")}, nil},
		{"go-libsql remote", []string{filepath.Join(b.dir, "golibsql")}, nil},
	}
	if b.peers[nodeClient] {
		drivers = append(drivers, driver{nodeClient, b.inNode(), nil})
	}
	if b.peers[pythonClient] {
		drivers = append(drivers, driver{pythonClient, b.inPython(), []string{b.pythonPath()}})
	}
	return drivers
}

// fileDrivers open a local file.
func (b *bench) fileDrivers() []driver {
	return []driver{
		{"core/libsql", []string{filepath.Join(b.dir, "oursfile")}, nil},
		{"modernc.org/sqlite", []string{filepath.Join(b.dir, "modernc")}, nil},
		{"mattn/go-sqlite3", []string{filepath.Join(b.dir, "mattn")}, nil},
	}
}

// queryRuns is the number of runs of each workload, near and far.
var queryRuns = map[string][2]int{
	"SELECT 1": {2000, 40}, "read 100 rows": {1000, 40}, "insert": {500, 40},
	"batch of 1000": {20, 10}, "transaction of 10": {200, 10},
}

// queries compares remote drivers against the same database, in alternating rounds:
// locally, and with a simulated network. A proxy for the latter counts the requests.
func (b *bench) queries() error {
	out, err := b.stack.zen("status", "--json")
	if err != nil {
		return err
	}
	var status struct{ Database string }
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		return err
	}
	far, err := newFar(status.Database)
	if err != nil {
		return err
	}
	defer far.server.Close()
	drivers := b.drivers()
	for _, workload := range measure.Workloads {
		at := func(driver) string { return status.Database }
		if err := b.compare("remote: "+workload, drivers, at, workload, queryRuns[workload][0]); err != nil {
			return err
		}
	}
	// Writing depends on the journal mode, which each driver chooses, so only reads are
	// compared.
	for _, workload := range []string{"SELECT 1", "read 100 rows"} {
		at := func(d driver) string { return "file:" + filepath.Join(b.dir, filepath.Base(d.program[0])+".db") }
		if err := b.compare("file: "+workload, b.fileDrivers(), at, workload, 10*queryRuns[workload][0]); err != nil {
			return err
		}
	}
	for _, workload := range measure.Workloads {
		at := func(driver) string { return far.url }
		if err := b.compare("remote, 20 ms away: "+workload, drivers, at, workload, queryRuns[workload][1]); err != nil {
			return err
		}
		requests := make([]report.Figure, len(drivers))
		for i, d := range drivers {
			took, err := b.requests(far, d, workload)
			if err != nil {
				return err
			}
			requests[i] = report.Of("remote, requests: "+workload, d.name, "requests", []float64{took})
		}
		b.add(requests...)
	}
	return nil
}

// compare adds the group of a workload: ours is compared with the fastest of the others.
func (b *bench) compare(group string, drivers []driver, target func(driver) string, workload string, runs int) error {
	samples := make([][]float64, len(drivers))
	for range queryRounds {
		for _, i := range rand.Perm(len(drivers)) {
			took, err := b.sample(drivers[i], target(drivers[i]), workload, max(1, runs/queryRounds))
			if err != nil {
				return err
			}
			samples[i] = append(samples[i], took...)
		}
	}
	figures := make([]report.Figure, len(drivers))
	for i, d := range drivers {
		figures[i] = report.Of(group, d.name, "ms", samples[i])
	}
	fastest := slices.MinFunc(figures[1:], func(a, b report.Figure) int { return cmp.Compare(a.Median, b.Median) })
	figures[0] = figures[0].Beside(fastest)
	if strings.HasPrefix(group, "remote") {
		figures[0] = figures[0].Within(1)
	}
	b.add(figures...)
	return nil
}

// requests counts a run's requests at the proxy, as the difference of eleven more runs.
func (b *bench) requests(far *far, d driver, workload string) (float64, error) {
	var counts [2]int64
	for i := range counts {
		far.requests.Store(0)
		if _, err := b.sample(d, far.url, workload, 10*(i+1)); err != nil {
			return 0, err
		}
		counts[i] = far.requests.Load()
	}
	return float64(counts[1]-counts[0]) / 11, nil
}

// sample runs a workload with a driver, and returns how many milliseconds each run took.
func (b *bench) sample(d driver, target, workload string, runs int) ([]float64, error) {
	token, err := b.stack.zen("token", "--min-ttl", "10m")
	if err != nil {
		return nil, err
	}
	var samples []float64
	err = d.answer(&samples, token, target, "", fmt.Sprint(runs), workload)
	return samples, err
}

// answer runs the program with a token on its standard input, and decodes what it prints.
func (d driver) answer(to any, token string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.program[0], append(slices.Clone(d.program[1:]), args...)...)
	cmd.Stdin, cmd.Stderr, cmd.Env = strings.NewReader(token), os.Stderr, append(os.Environ(), d.env...)
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, to)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	return nil
}

// far is a proxy with the latency of a server in a neighbouring country.
type far struct {
	server   *httptest.Server
	url      string
	requests atomic.Int64
}

func newFar(database string) (*far, error) {
	target, err := url.Parse(database)
	if err != nil {
		return nil, err
	}
	path := target.Path
	target.Path = ""
	f := &far{}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.FlushInterval = -1
	forward.ErrorLog = log.New(io.Discard, "", 0) // a program that has finished measuring disconnects
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		// Read to its end first: net/http closes a request's body when the answer
		// begins, which the transport takes for a broken request.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		time.Sleep(addedTrip)
		forward.ServeHTTP(w, r)
	}))
	f.url = f.server.URL + path
	return f, nil
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }
