// Package report holds what was measured: a sorted list of figures, which is
// docs/benchmarks.json, and the tables that docs/benchmarks.md has of them.
package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Figure is one thing measured. Its unit says what its numbers are.
type Figure struct {
	Group string `json:"group"`
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	// X is the place of a growth's point on its axis: so many profiles, tokens, rows.
	// All points of a line have one name.
	X    float64 `json:"x,omitempty"`
	Runs int     `json:"runs"`

	Median float64 `json:"median"`
	P10    float64 `json:"p10"`
	P90    float64 `json:"p90"`

	// RatioOf names the figure of the group that this one is compared with, and Ratio is
	// its median in that one's.
	RatioOf string  `json:"ratio_of,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"`
	// Goal is the most that Ratio may be, or the median if there is no ratio.
	Goal float64 `json:"goal,omitempty"`
}

// Of returns the figure of some samples, which it sorts.
func Of(group, name, unit string, samples []float64) Figure {
	slices.Sort(samples)
	at := func(percent int) float64 { return samples[min(len(samples)*percent/100, len(samples)-1)] }
	return Figure{Group: group, Name: name, Unit: unit, Runs: len(samples), Median: at(50), P10: at(10), P90: at(90)}
}

// Beside returns the figure with its ratio to another of the group.
func (f Figure) Beside(other Figure) Figure {
	f.RatioOf = other.Name
	if other.Median != 0 {
		f.Ratio = f.Median / other.Median
	}
	return f
}

// Within returns the figure with its goal.
func (f Figure) Within(goal float64) Figure {
	f.Goal = goal
	return f
}

// Read returns the figures of a file, and none if there is no file yet.
func Read(path string) ([]Figure, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var figures []Figure
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&figures); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return figures, nil
}

// Write puts the figures in a file, sorted. If it has others, those of the same groups
// are replaced and the rest stay. It returns all.
func Write(path string, figures []Figure) ([]Figure, error) {
	all, err := Read(path)
	if err != nil {
		return nil, err
	}
	if len(figures) == 0 {
		return all, nil
	}
	all = slices.DeleteFunc(all, func(old Figure) bool {
		return slices.ContainsFunc(figures, func(f Figure) bool { return f.Group == old.Group })
	})
	for _, f := range figures {
		for _, number := range []*float64{&f.Median, &f.P10, &f.P90, &f.Ratio} {
			*number = rounded(*number)
		}
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name), cmp.Compare(a.X, b.X))
	})
	// A figure a line: a new run shows as what has changed.
	var b bytes.Buffer
	separator := "[\n"
	for _, f := range all {
		line, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		b.WriteString(separator)
		b.Write(line)
		separator = ",\n"
	}
	b.WriteString("\n]\n")
	return all, os.WriteFile(path, b.Bytes(), 0o644)
}
