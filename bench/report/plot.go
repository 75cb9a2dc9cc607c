package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/zen-auth/zen/internal/picture"
)

// embedded is a plot that a page shows.
var embedded = regexp.MustCompile(`\]\((pictures/plot-([a-z0-9-]+)\.svg)\)`)

// DrawPlots draws the plots that the page at path shows, into the files that it names: the
// bars of the groups whose names begin with the plot's, or the lines of a growth.
func DrawPlots(path string, figures []Figure) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	plots, err := plots(string(page), figures)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name, content := range plots {
		name = filepath.Join(filepath.Dir(path), filepath.FromSlash(name))
		if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, content) {
			continue
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// plots returns the plots of a page, by their files.
func plots(page string, figures []Figure) (map[string][]byte, error) {
	drawn := make(map[string][]byte)
	for _, found := range embedded.FindAllStringSubmatch(page, -1) {
		of := slices.DeleteFunc(slices.Clone(figures), func(f Figure) bool { return slug(plotOf(f)) != found[2] })
		switch {
		case len(of) == 0:
			return nil, fmt.Errorf("no figures have a plot %q", found[2])
		case of[0].X != 0:
			drawn[found[1]] = lines(of)
		default:
			drawn[found[1]] = bars(of)
		}
	}
	return drawn, nil
}

// plotOf returns the plot that a figure is in: that of its group, and of the groups whose names
// are the same up to a colon. Each growth has one of its own.
func plotOf(f Figure) string {
	if name, _, found := strings.Cut(f.Group, ": "); found && f.X == 0 {
		return name
	}
	return f.Group
}

var separators = regexp.MustCompile(`[^a-z0-9]+`)

func slug(name string) string {
	return strings.Trim(separators.ReplaceAllString(strings.ToLower(name), "-"), "-")
}

func bars(figures []Figure) []byte {
	var groups []picture.Bars
	for _, f := range figures {
		_, title, found := strings.Cut(f.Group, ": ")
		if !found {
			title = "time"
		}
		if len(groups) == 0 || groups[len(groups)-1].Title != title {
			groups = append(groups, picture.Bars{Title: title})
		}
		g := &groups[len(groups)-1]
		g.Bars = append(g.Bars, picture.Bar{Name: f.Name, Text: strings.TrimSpace(number(f.Median) + " " + f.Unit), Value: f.Median, Ours: ours(f.Name)})
	}
	return picture.PlotBars(plotOf(figures[0])+", median", groups)
}

// ours reports whether a figure is zen's and not a peer's.
func ours(name string) bool {
	return strings.HasPrefix(name, "zen") || strings.HasPrefix(name, "core/")
}

func lines(figures []Figure) []byte {
	var all []picture.Line
	for _, f := range figures {
		if len(all) == 0 || all[len(all)-1].Name != f.Name {
			all = append(all, picture.Line{Name: f.Name})
		}
		l := &all[len(all)-1]
		l.Points = append(l.Points, picture.Point{X: f.X, Y: f.Median})
	}
	for i, l := range all {
		of := slices.DeleteFunc(slices.Clone(figures), func(f Figure) bool { return f.Name != l.Name })
		all[i].Name += ", each adds " + each(Slope(of), of[0].Unit)
	}
	_, things, found := strings.Cut(figures[0].Group, ": ")
	if !found {
		things = "number"
	}
	return picture.PlotLines(figures[0].Group+", median", things, figures[0].Unit, all)
}
