package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/bench/report"
)

// processRuns is the number of measurements of a whole process.
const processRuns = 100

// program is a whole process to measure. input is its standard input.
type program struct {
	name string
	args []string
	// env is called for each run.
	env   func() []string
	input string
	// before, if not nil, runs before each turn, and is not measured.
	before func() error
}

// cost is the cost of one process.
type cost struct{ ms, cpu, mib float64 }

// launch runs a program once, from a parent so small that its memory isn't attributed to
// the program.
func (b *bench) launch(p program) (cost, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return cost{}, err
	}
	defer read.Close()
	path, err := exec.LookPath(p.args[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return cost{}, errors.Join(err, write.Close())
	}
	cmd := exec.Command(filepath.Join(b.dir, "launch"), append([]string{path}, p.args[1:]...)...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr, cmd.ExtraFiles = p.env(), &stderr, []*os.File{write}
	if p.input != "" {
		cmd.Stdin = strings.NewReader(p.input)
	}
	err = errors.Join(cmd.Run(), write.Close())
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w: %.500s", p.name, err, stderr.String())
	}
	told, err := io.ReadAll(read)
	if err != nil {
		return cost{}, err
	}
	var ns, us, kib float64
	if _, err := fmt.Sscan(string(told), &ns, &us, &kib); err != nil {
		return cost{}, fmt.Errorf("%s: %w", p.name, err)
	}
	return cost{ns / 1e6, us / 1e3, kib / 1024}, nil
}

// turns runs each program a number of times, in a new random order in each round, after a
// tenth of that to warm up.
func (b *bench) turns(runs int, programs []program) ([][]cost, error) {
	costs := make([][]cost, len(programs))
	for turn := range runs + runs/10 {
		for _, i := range rand.Perm(len(programs)) {
			if before := programs[i].before; before != nil {
				if err := before(); err != nil {
					return nil, fmt.Errorf("%s: %w", programs[i].name, err)
				}
			}
			took, err := b.launch(programs[i])
			if err != nil {
				return nil, err
			}
			if turn >= runs/10 {
				costs[i] = append(costs[i], took)
			}
		}
	}
	return costs, nil
}

// processes compares whole programs with the first of them, which runs as two copies:
// their difference shows the noise. It adds the group of their times, of their CPU and of
// their memory.
func (b *bench) processes(group string, runs int, goals map[string]float64, programs ...program) error {
	again := programs[0]
	again.name += ", again"
	programs = append(programs[:len(programs):len(programs)], again)
	costs, err := b.turns(runs, programs)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		group, unit string
		of          func(cost) float64
	}{
		{group, "ms", func(c cost) float64 { return c.ms }},
		{group + ": CPU", "ms", func(c cost) float64 { return c.cpu }},
		{group + ": memory", "MiB", func(c cost) float64 { return c.mib }},
	} {
		var figures []report.Figure
		for i, p := range programs {
			samples := make([]float64, len(costs[i]))
			for k, c := range costs[i] {
				samples[k] = side.of(c)
			}
			f := report.Of(side.group, p.name, side.unit, samples)
			if i > 0 {
				f = f.Beside(figures[0])
			}
			if side.group == group {
				f = f.Within(goals[p.name])
			}
			figures = append(figures, f)
		}
		b.add(figures...)
		if side.group == group {
			alike(figures[len(figures)-1])
		}
	}
	return nil
}

// alike warns if two copies of the same program differ.
func alike(copied report.Figure) {
	if math.Abs(copied.Ratio-1) > 0.05 {
		fmt.Fprintf(os.Stderr, "bench: WARNING: %s: two copies of the same differ by %.0f %%: this run is noise\n", copied.Group, 100*math.Abs(copied.Ratio-1))
	}
}
