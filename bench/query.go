package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
)

const (
	queryRuns   = 2000
	queryRounds = 3
	countRuns   = 100
)

// selectOne compares SELECT 1 through core/libsql with go-libsql's remote driver,
// against the same database, in rounds, and counts each one's requests.
func selectOne(s *stack, dir string) error {
	out, err := s.zen("status", "--json")
	if err != nil {
		return err
	}
	var status struct{ Database string }
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		return err
	}
	token, err := s.zen("token")
	if err != nil {
		return err
	}
	names := []string{"golibsql", "ours"}
	best := map[string]int64{}
	for range queryRounds {
		for _, name := range names {
			sample, err := peer(filepath.Join(dir, name), status.Database, "", token, queryRuns)
			if err != nil {
				return err
			}
			if best[name] == 0 || sample.Median < best[name] {
				best[name] = sample.Median
			}
		}
	}
	trips := map[string]float64{}
	for _, name := range names {
		if trips[name], err = roundTrips(filepath.Join(dir, name), status.Database, token); err != nil {
			return err
		}
	}
	fmt.Printf("\nremote SELECT 1, median of %d, best of %d rounds taking turns:\n", queryRuns, queryRounds)
	fmt.Printf("  go-libsql remote  %6.0f us  %.2f requests\n", float64(best["golibsql"])/1000, trips["golibsql"])
	fmt.Printf("  core/libsql       %6.0f us  %.2f requests  %.2f x go-libsql\n", float64(best["ours"])/1000, trips["ours"], float64(best["ours"])/float64(best["golibsql"]))
	return nil
}

// roundTrips counts the requests a query, on a proxy in between.
func roundTrips(program, database, token string) (float64, error) {
	target, err := url.Parse(database)
	if err != nil {
		return 0, err
	}
	path := target.Path
	target.Path = ""
	var requests atomic.Int64
	forward := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		forward.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	if _, err := peer(program, proxy.URL+path, "", token, countRuns); err != nil {
		return 0, err
	}
	return float64(requests.Load()) / float64(countRuns+countRuns/10+1), nil
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }
