package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/zen-auth/zen/bench/measure"
)

const (
	queryRounds = 3
	addedTrip   = 20 * time.Millisecond
)

// drivers are compared with the first.
var drivers = []struct{ program, name string }{
	{"ours", "core/libsql"}, {"libsqlclientgo", "libsql-client-go"}, {"golibsql", "go-libsql remote"},
}

// queryRuns is how often each workload runs, near and far.
var queryRuns = map[string][2]int{
	"SELECT 1": {2000, 40}, "read 100 rows": {1000, 40}, "insert": {500, 40},
	"batch of 1000": {20, 10}, "transaction of 10": {200, 10},
}

// queries compares remote drivers against the same database, in rounds taking turns:
// near, and with a network in between. A proxy for the latter counts the requests.
func queries(s *stack, dir string) error {
	out, err := s.zen("status", "--json")
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
	fmt.Printf("\nremote, median, best of %d rounds taking turns; then with %s added to each request:\n", queryRounds, addedTrip)
	fmt.Printf("%-18s", "")
	for _, d := range drivers {
		fmt.Printf("  %-30s", d.name)
	}
	fmt.Println()
	for _, workload := range measure.Workloads {
		for i, target := range []string{status.Database, far.url} {
			best, requests, err := compare(s, dir, target, workload, queryRuns[workload][i], far)
			if err != nil {
				return err
			}
			name := workload
			if i == 1 {
				name = "  far"
			}
			fmt.Printf("%-18s", name)
			for k, b := range best {
				text := fmt.Sprintf("%.3f ms", float64(b)/1e6)
				if i == 1 {
					text += fmt.Sprintf(", %.1f requests", requests[k])
				}
				if k > 0 {
					text += fmt.Sprintf(" (%.2f)", float64(best[0])/float64(b))
				}
				fmt.Printf("  %-30s", text)
			}
			fmt.Println()
		}
	}
	fmt.Println("(in brackets: our time in theirs)")
	return nil
}

// compare returns each driver's best median, and how many requests a run takes where
// there is a proxy to count them.
func compare(s *stack, dir, target, workload string, runs int, far *far) (best []int64, requests []float64, err error) {
	best, requests = make([]int64, len(drivers)), make([]float64, len(drivers))
	token, err := s.zen("token", "--min-ttl", "10m")
	if err != nil {
		return nil, nil, err
	}
	for range queryRounds {
		for i, d := range drivers {
			far.requests.Store(0)
			cmd := filepath.Join(dir, d.program)
			sample, err := peer(cmd, target, "", token, runs, workload)
			if err != nil {
				return nil, nil, err
			}
			best[i] = min(cmp.Or(best[i], sample.Median), sample.Median)
			requests[i] = float64(far.requests.Load()) / float64(runs+runs/10+1)
		}
	}
	return best, requests, nil
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
