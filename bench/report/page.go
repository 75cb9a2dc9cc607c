package report

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// A page has the table of a group between two lines of these.
const (
	begin = "<!-- figures: "
	end   = "<!-- end of figures -->"
)

// FillPage writes the tables of figures into the page at path, each between "<!--
// figures: GROUP -->" and "<!-- end of figures -->", below the plot of a growth. The
// group "summary" is the table of the goals. Everything else is unchanged.
func FillPage(path string, figures []Figure) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	filled, err := fill(string(page), figures)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(filled), 0o644)
}

func fill(page string, figures []Figure) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(page, begin)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		group, rest, _ := strings.Cut(rest, " -->")
		_, rest, found = strings.Cut(rest, end)
		if !found {
			return "", fmt.Errorf("the figures of %q have no line %q", group, end)
		}
		of := ofGroup(figures, group)
		plot, table := "", "\nThe last run had none of these.\n\n"
		switch {
		case group == summary:
			table = summarized(figures)
		case len(of) > 0:
			table = Table(of)
			if of[0].X != 0 {
				plot = fmt.Sprintf("![%s](pictures/plot-%s.svg)\n\n", group, slug(group))
			}
		}
		fmt.Fprintf(&b, "%s%s -->\n%s%s%s", begin, group, plot, table, end)
		page = rest
	}
}

// ofGroup returns the figures of a group, or of all whose names begin with what is before a star:
// the rest of that is then in the figures' names.
func ofGroup(figures []Figure, group string) (of []Figure) {
	start, several := strings.CutSuffix(group, "*")
	for _, f := range figures {
		rest, found := strings.CutPrefix(f.Group, start)
		switch {
		case several && found:
			f.Name = rest + ", " + f.Name
			of = append(of, f)
		case f.Group == group:
			of = append(of, f)
		}
	}
	return of
}

// Table returns the table of a group, in Markdown: a row a figure, or where figures have an X, a
// row for each and a column for each name, with the slopes in the last row.
func Table(figures []Figure) string {
	if slices.ContainsFunc(figures, func(f Figure) bool { return f.X != 0 }) {
		return growth(figures)
	}
	var b strings.Builder
	b.WriteString("| | median | p10 to p90 | runs | ratio | goal |\n|---|---|---|---|---|---|\n")
	for _, f := range figures {
		ratio, goal := "", ""
		if f.RatioOf != "" {
			ratio = number(f.Ratio) + " of " + f.RatioOf
		}
		if f.Goal != 0 {
			goal = "at most " + number(f.Goal)
		}
		fmt.Fprintf(&b, "| %s | %s %s | %s to %s | %d | %s | %s |\n", f.Name, number(f.Median), f.Unit, number(f.P10), number(f.P90), f.Runs, ratio, goal)
	}
	return b.String()
}

func growth(figures []Figure) string {
	var names []string
	var xs []float64
	for _, f := range figures {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
		if !slices.Contains(xs, f.X) {
			xs = append(xs, f.X)
		}
	}
	slices.Sort(xs)
	var b strings.Builder
	fmt.Fprintf(&b, "| | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, x := range xs {
		b.WriteString("| " + number(x))
		for _, name := range names {
			text := ""
			for _, f := range figures {
				if f.X == x && f.Name == name {
					text = number(f.Median) + " " + f.Unit
				}
			}
			b.WriteString(" | " + text)
		}
		b.WriteString(" |\n")
	}
	b.WriteString("| each adds")
	for _, name := range names {
		of := slices.DeleteFunc(slices.Clone(figures), func(f Figure) bool { return f.Name != name })
		b.WriteString(" | " + each(Slope(of), of[0].Unit))
	}
	b.WriteString(" |\n")
	return b.String()
}

// Slope returns the increase of the median per unit of the axis, by least squares.
func Slope(line []Figure) float64 {
	var x, y, xx, xy float64
	for _, f := range line {
		x, y, xx, xy = x+f.X, y+f.Median, xx+f.X*f.X, xy+f.X*f.Median
	}
	n := float64(len(line))
	if n*xx == x*x {
		return 0
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

// each returns a slope in a unit that leaves digits of it.
func each(slope float64, unit string) string {
	for _, smaller := range []struct{ unit, of string }{{"µs", "ms"}, {"ns", "µs"}, {"KiB", "MiB"}, {"B", "KiB"}} {
		if unit == smaller.of && math.Abs(slope) < 1 {
			factor := 1000.0
			if strings.HasSuffix(unit, "iB") {
				factor = 1024
			}
			slope, unit = slope*factor, smaller.unit
		}
	}
	return number(slope) + " " + unit
}

// number has three digits that count, and whole numbers all of theirs.
func number(v float64) string {
	v = rounded(v)
	if v == math.Trunc(v) {
		return humanize.Comma(int64(v))
	}
	return strconv.FormatFloat(v, 'f', max(0, 2-int(math.Floor(math.Log10(math.Abs(v))))), 64)
}

// rounded returns a number to three digits that count: the fourth is noise. Whole numbers keep
// theirs.
func rounded(v float64) float64 {
	if v == math.Trunc(v) || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return short
}
