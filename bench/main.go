// Command bench measures zen against a floor or a peer, in one run on one machine. It
// prints the results, and writes them as JSON and into the documentation page. Run it
// with make bench: it needs the programs in bin/.
//
//	go run ./bench [--json FILE] [--page FILE] [PART …]
//
// Given names of its parts, it runs those alone, and the figures of the others stay.
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/bench/report"
)

//go:generate go run . -json ../docs/benchmarks.json -page ../docs/benchmarks.md page

func main() {
	b := &bench{peers: map[string]bool{}}
	flag.StringVar(&b.json, "json", "", "write the figures to this `file`, too")
	flag.StringVar(&b.page, "page", "", "fill the tables of this `file` with the figures of --json")
	flag.Parse()
	if err := b.run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	json, page string
	// dir has the built programs and their input files.
	dir   string
	stack *stack
	// peers are the optional programs that were installed for comparison.
	peers map[string]bool
	// sqld is the program of a real libsql-server, if that is one of them.
	sqld string
	// taken are this run's figures.
	taken []report.Figure
}

// part is a part that can be run separately. It may need the local stack, in which zen is
// signed in.
type part struct {
	name    string
	stack   bool
	measure func(*bench) error
}

var parts = []part{
	{"warm", true, (*bench).warmToken},
	{"commands", true, (*bench).commands},
	{"cold", true, (*bench).coldToken},
	{"queries", true, (*bench).queries},
	{"select1", true, (*bench).select1},
	{"imports", true, (*bench).imports},
	{"doctor", false, (*bench).examination},
	{"growth", true, (*bench).growth},
	{"connections", true, (*bench).connections},
	{"handles", true, (*bench).handles},
	{"libraries", false, (*bench).libraries},
}

func (b *bench) run(chosen []string) error {
	if slices.Equal(chosen, []string{"page"}) { // nothing is measured
		return b.write()
	}
	names := map[string]bool{}
	for _, p := range parts {
		names[p.name] = len(chosen) == 0
	}
	for _, name := range chosen {
		if _, known := names[name]; !known {
			return fmt.Errorf("no such part: %q, there are page, %s", name, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
		}
		names[name] = true
	}
	return b.measure(slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !names[p.name] }))
}

// measure runs the parts. Failures are reported at the end, so that the other parts'
// results are kept.
func (b *bench) measure(parts []part) (err error) {
	if b.dir, err = os.MkdirTemp("", "zen-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	before := load()
	fmt.Printf("%s %s/%s, %d CPUs, load %.1f\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), before)
	if before > 0.5 {
		fmt.Fprintln(os.Stderr, "bench: WARNING: the machine is busy: read ratios alone")
	}
	began := time.Now()
	if err := b.buildPeers(); err != nil {
		return err
	}
	fmt.Printf("(building the peers took %.0f s)\n", time.Since(began).Seconds())
	if slices.ContainsFunc(parts, func(p part) bool { return p.stack }) {
		if b.stack, err = startStack(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.stack.stop()) }()
		if _, err := b.stack.zen("login", "--provider", "clerk"); err != nil {
			return err
		}
	}
	var failed []error
	for _, p := range parts {
		began := time.Now()
		if err := p.measure(b); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", p.name, err))
		}
		failed = append(failed, b.write()) // keeps the results if a later part fails
		fmt.Printf("(%s took %.0f s)\n", p.name, time.Since(began).Seconds())
	}
	return errors.Join(failed...)
}

// add adds the figures of one group, and prints them.
func (b *bench) add(figures ...report.Figure) {
	b.taken = append(b.taken, figures...)
	fmt.Printf("\n%s\n%s", figures[0].Group, report.Table(figures))
}

// write writes the figures to the requested files.
func (b *bench) write() error {
	if b.json == "" {
		return nil
	}
	all, err := report.Write(b.json, b.taken)
	if err != nil || b.page == "" {
		return err
	}
	return errors.Join(report.FillPage(b.page, all), report.DrawPlots(b.page, all))
}

// load returns the number of runnable processes, as the last minute's mean; 0 if the
// system doesn't report it.
func load() (mean float64) {
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(data), &mean)
	}
	return mean
}
