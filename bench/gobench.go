package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/bench/report"
)

// goBench is a benchmark of a Go package: each run reports every figure once.
type goBench struct {
	dir, pkg, bench string
	args            []string
	// place says where a metric belongs, by the benchmark's name without Benchmark and
	// the metric's unit; ok is false for a metric that isn't reported.
	place func(name, unit string) (f report.Figure, ok bool)
}

// beside maps figures to the figures they are compared with in their group, and their
// goals.
type beside map[string]struct {
	of   string
	goal float64
}

// goBenchRuns is the number of runs of each benchmark. One run is the median, or the mean, of many.
const goBenchRuns = 3

// cpus is the end of a benchmark's name: how many CPUs it had.
var cpus = regexp.MustCompile(`-\d+$`)

// run runs the benchmarks and adds their groups.
func (b *bench) goBenches(compared beside, all ...goBench) error {
	for _, g := range all {
		args := append([]string{"test", "-timeout", "8m", "-run", "xxx", "-bench", g.bench, "-count", strconv.Itoa(goBenchRuns)}, g.args...)
		cmd := exec.Command("go", append(args, g.pkg)...)
		cmd.Dir, cmd.Stderr = g.dir, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("go test -bench %s %s: %w\n%s", g.bench, g.pkg, err, out)
		}
		b.addGroups(compared, samplesOf(out, g.place))
	}
	return nil
}

// samplesOf reads what go test -bench prints. Each figure is there once, with all its
// samples.
func samplesOf(out []byte, place func(name, unit string) (report.Figure, bool)) (figures []report.Figure) {
	index := map[report.Figure]int{}
	var samples [][]float64
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := cpus.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			f, ok := place(name, fields[i+1])
			if err != nil || !ok {
				continue
			}
			if f.Unit == "µs" && fields[i+1] == "ns/op" {
				value /= 1000
			}
			at, known := index[f]
			if !known {
				at = len(figures)
				index[f] = at
				figures, samples = append(figures, f), append(samples, nil)
			}
			samples[at] = append(samples[at], value)
		}
	}
	for i, f := range figures {
		figures[i] = report.Of(f.Group, f.Name, f.Unit, samples[i])
		figures[i].X = f.X
	}
	return figures
}

// addGroups adds figures, group by group, each beside what it is compared with.
func (b *bench) addGroups(compared beside, figures []report.Figure) {
	var order []string
	groups := map[string][]report.Figure{}
	for _, f := range figures {
		if groups[f.Group] == nil {
			order = append(order, f.Group)
		}
		groups[f.Group] = append(groups[f.Group], f)
	}
	for _, name := range order {
		group := groups[name]
		for i, f := range group {
			with := compared[f.Name]
			for _, other := range group {
				if other.Name == with.of {
					group[i] = f.Beside(other).Within(with.goal)
				}
			}
		}
		b.add(group...)
	}
}

// libraries runs the benchmarks within a process.
func (b *bench) libraries() error {
	return b.goBenches(beside{
		"zen":               {"go-libsql", 1.05},
		"zen proxy":         {"plain ReverseProxy", 1},
		"zen proxy, socket": {"plain ReverseProxy", 1},
		"zen's provider":    {"go-plugin", 1},
		"token":             {"bare RSA", 0},
	}, goBench{pkg: "./core/libsql/replica", bench: "ReplicaFile", args: []string{"-benchtime", "10x"}, place: func(_, unit string) (report.Figure, bool) {
		op, way, ok := strings.Cut(strings.TrimSuffix(unit, "-ms"), "/")
		way, cpu := strings.CutSuffix(way, "-CPU")
		what := map[string]string{"open": "first open", "reopen": "reopen", "write": "write through", "sync": "sync of 100,000 rows"}[op]
		group := "replica: " + what
		if cpu {
			group = "replica, CPU: " + what
		}
		return report.Figure{Group: group, Name: goLibSQL(way), Unit: "ms"}, ok && what != ""
	}}, goBench{pkg: "./core/libsql/replica", bench: "Replica$", place: func(name, unit string) (report.Figure, bool) {
		_, rest, _ := strings.Cut(name, "/")
		op, way, ok := strings.Cut(rest, "/")
		what := map[string]string{"row": "read a row", "rows": "read 100 rows"}[op]
		return report.Figure{Group: "replica: " + what, Name: goLibSQL(way), Unit: "µs"}, ok && unit == "ns/op"
	}}, goBench{pkg: "./internal/gateway", bench: "Select1", args: []string{"-benchtime", "10000x"}, place: func(name, unit string) (report.Figure, bool) {
		_, rest, _ := strings.Cut(name, "/")
		connections, way, ok := strings.Cut(rest, "/")
		what := "proxy: " + connections + " connections"
		if unit == "CPU-µs/op" {
			what = "proxy, CPU: " + connections + " connections"
		}
		return report.Figure{Group: what, Unit: "µs", Name: map[string]string{
			"direct": "direct", "plain": "plain ReverseProxy", "gateway": "zen proxy", "socket": "zen proxy, socket",
		}[way]}, ok && (unit == "ns/op" || unit == "CPU-µs/op")
	}}, goBench{pkg: "./internal/host", bench: "Start|Call|Memory", args: []string{"-benchtime", "30x"}, place: func(name, unit string) (report.Figure, bool) {
		way, metric := "zen's provider", ""
		if rest, theirs := strings.CutPrefix(unit, "go-plugin-"); theirs {
			way, metric = "go-plugin", rest
		} else if rest, ours := strings.CutPrefix(unit, "zen-"); ours {
			metric = rest
		} else if of, memory := strings.CutPrefix(name, "Memory/"); memory && unit == "MiB" {
			return report.Figure{Group: "provider: memory", Name: of, Unit: unit}, true
		}
		op, callers, _ := strings.Cut(name, "/callers=")
		switch {
		case name == "Start" && metric == "ms":
			return report.Figure{Group: "provider: start", Name: way, Unit: "ms"}, true
		case name == "StartFour" && metric == "ms":
			return report.Figure{Group: "provider: start of four at once", Name: way, Unit: "ms"}, true
		case op == "Call" && strings.HasSuffix(metric, "-µs"):
			return report.Figure{Group: fmt.Sprintf("provider: call by %s callers, %s", callers, strings.TrimSuffix(metric, "-µs")), Name: way, Unit: "µs"}, true
		}
		return report.Figure{}, false
	}}, goBench{pkg: "./core/jwks", bench: "Verify", place: func(name, unit string) (report.Figure, bool) {
		_, what, ok := strings.Cut(name, "/")
		return report.Figure{Group: "verification", Name: strings.ReplaceAll(what, "_", " "), Unit: "µs"}, ok && unit == "ns/op"
	}}, goBench{pkg: "./devstack/turso", bench: "Loopback", args: []string{"-cpu", "1"}, place: func(name, unit string) (report.Figure, bool) {
		return report.Figure{Group: "local stack", Name: map[string]string{"Select1Loopback": "SELECT 1", "Read1000Loopback": "read 1,000 rows"}[name], Unit: "a second"}, unit == "req/s"
	}}, goBench{dir: "openbao", pkg: ".", bench: "Server", args: []string{"-benchtime", "300x"}, place: func(name, unit string) (report.Figure, bool) {
		_, what, ok := strings.Cut(name, "/")
		return report.Figure{Group: "OpenBao", Name: strings.ReplaceAll(what, "_", " "), Unit: "µs"}, ok && unit == "ns/op"
	}})
}

// goLibSQL names the two sides of a replica.
func goLibSQL(way string) string {
	return map[string]string{"zen": "zen", "golibsql": "go-libsql"}[way]
}
