package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
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

// driver is a program of bench that uses one. The first of them is zen's.
type driver struct{ program, name string }

var drivers = []driver{
	{"ours", "core/libsql"}, {"libsqlclientgo", "libsql-client-go"}, {"golibsql", "go-libsql remote"},
}

// queryRuns is the number of runs of each workload, near and far.
var queryRuns = map[string][2]int{
	"SELECT 1": {2000, 40}, "read 100 rows": {1000, 40}, "insert": {500, 40},
	"batch of 1000": {20, 10}, "transaction of 10": {200, 10},
}

// queries compares remote drivers against the same database, in rounds taking turns:
// near, and with a network in between. A proxy for the latter counts the requests.
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
	for _, workload := range measure.Workloads {
		if err := b.compare("remote: "+workload, status.Database, workload, queryRuns[workload][0]); err != nil {
			return err
		}
	}
	for _, workload := range measure.Workloads {
		if err := b.compare("remote, 20 ms away: "+workload, far.url, workload, queryRuns[workload][1]); err != nil {
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

// compare adds the group of a workload: ours stands beside the fastest of the others.
func (b *bench) compare(group, target, workload string, runs int) error {
	samples := make([][]float64, len(drivers))
	for range queryRounds {
		for _, i := range rand.Perm(len(drivers)) {
			took, err := b.sample(drivers[i], target, workload, max(1, runs/queryRounds))
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
	figures[0] = figures[0].Beside(fastest).Within(1)
	b.add(figures...)
	return nil
}

// requests counts what a run takes at the proxy: what eleven more runs add.
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
	return peer(filepath.Join(b.dir, d.program), target, "", token, runs, workload)
}

// peer runs a program that prints what measure.Main does, in milliseconds.
func peer(program, url, id, token string, n int, workload string) ([]float64, error) {
	cmd := exec.Command(program, url, id, fmt.Sprint(n), workload)
	cmd.Stdin, cmd.Stderr = strings.NewReader(token), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	var samples []float64
	err = json.NewDecoder(bytes.NewReader(out)).Decode(&samples)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s printed nothing", filepath.Base(program))
	}
	return samples, err
}

// far is a proxy as far away as a server in the next country.
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
	forward.ErrorLog = log.New(io.Discard, "", 0) // a program that has measured enough hangs up
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
