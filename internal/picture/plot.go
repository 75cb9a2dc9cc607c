package picture

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Bar is a number with its name and, as it is shown, its text.
type Bar struct {
	Name, Text string
	Value      float64
	// Ours is the value that the others are compared with.
	Ours bool
}

// Bars are values to compare, on a scale of their own.
type Bars struct {
	Title string
	Bars  []Bar
}

// A plot is read at half its size, too.
const (
	plotWidth = 640
	plotText  = 23
)

// PlotBars draws bars side by side, group by group.
func PlotBars(title string, groups []Bars) []byte {
	height := 62
	var all []string
	for _, g := range groups {
		height += 46 + 38*len(g.Bars)
		for _, bar := range g.Bars {
			all = append(all, fmt.Sprintf("%s, %s: %s", g.Title, bar.Name, bar.Text))
		}
	}
	d := begin(plotWidth, height, sans, title, strings.Join(all, ". "))
	d.text("ink bold", 18, 38, 26, "start", title)
	y := 62
	for _, g := range groups {
		d.text("soft bold", 18, y+24, plotText, "start", g.Title)
		y += 36
		longest := 0.0
		for _, bar := range g.Bars {
			longest = math.Max(longest, bar.Value)
		}
		for _, bar := range g.Bars {
			class := "soft"
			if bar.Ours {
				class = "accent"
			}
			length := 4.0
			if longest > 0 {
				length = math.Max(length, 245*bar.Value/longest)
			}
			d.text("ink", 18, y+24, plotText, "start", bar.Name)
			d.print(`<rect class="%s" x="250" y="%d" width="%.1f" height="24" rx="4"/>`, class, y+4, length)
			d.text("ink", 258+length, y+24, plotText, "start", bar.Text)
			y += 38
		}
		y += 10
	}
	return d.end()
}

// Point is a point of a line.
type Point struct{ X, Y float64 }

// Line shows how something grows.
type Line struct {
	Name   string
	Points []Point
}

// PlotLines draws lines over an axis of things, and of numbers in a unit. Both begin at
// nothing.
func PlotLines(title, things, unit string, lines []Line) []byte {
	const left, right, bottom = 112.0, plotWidth - 28.0, 330.0
	top := 62 + 34*float64(len(lines))
	end := Point{}
	var all []string
	for _, l := range lines {
		for _, p := range l.Points {
			end.X, end.Y = math.Max(end.X, p.X), math.Max(end.Y, p.Y)
		}
		last := l.Points[len(l.Points)-1]
		all = append(all, fmt.Sprintf("%s: %s %s at %s %s", l.Name, short(last.Y), unit, short(last.X), things))
	}
	plotBottom := top + bottom - 62
	d := begin(plotWidth, int(plotBottom)+78, sans, title, strings.Join(all, ". "))
	d.text("ink bold", 18, 38, 26, "start", title)
	x := func(v float64) float64 { return left + (right-left)*v/end.X }
	y := func(v float64) float64 { return plotBottom - (plotBottom-top-12)*v/end.Y }
	for _, v := range ticks(end.Y) {
		d.print(`<rect class="line" x="%g" y="%.1f" width="%g" height="1"/>`, left, y(v), right-left)
		d.text("soft", left-10, int(y(v))+8, 21, "end", short(v)+" "+unit)
	}
	for _, v := range ticks(end.X) {
		anchor := "middle"
		if x(v) > right-40 {
			anchor = "end"
		}
		d.text("soft", x(v), int(plotBottom)+30, 21, anchor, short(v))
	}
	d.text("soft", right, int(plotBottom)+62, plotText, "end", things)
	for i, l := range lines {
		class, dash := []string{"accent", "bad", "warn", "good"}[i%4], []string{"", "12 7", "3 6", "18 5 3 5"}[i%4]
		var path strings.Builder
		for j, p := range l.Points {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(j, 1)], x(p.X), y(p.Y))
			d.print(`<circle class="%s" cx="%.1f" cy="%.1f" r="5"/>`, class, x(p.X), y(p.Y))
		}
		d.print(`<path class="%s-line" stroke-dasharray="%s" d="%s"/>`, class, dash, path.String())
		d.print(`<path class="%s-line" stroke-dasharray="%s" d="M18 %dh44"/>`, class, dash, 66+34*i)
		d.text("ink", 74, 74+34*i, plotText, "start", l.Name)
	}
	return d.end()
}

func (d *drawing) text(class string, x float64, y, size int, anchor, text string) {
	d.print(`<text class="%s" x="%.1f" y="%d" font-size="%d" text-anchor="%s">%s</text>`, class, x, y, size, anchor, html.EscapeString(text))
}

// ticks are three or so round numbers up to an end.
func ticks(end float64) []float64 {
	if end <= 0 {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(end/2)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if end/(step*factor) < 4 {
			step *= factor
			break
		}
	}
	var all []float64
	for i := 0.0; i*step <= end; i++ {
		all = append(all, i*step)
	}
	return all
}

// short returns a number as an axis has it.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%gk", v/1e3)
	}
	return fmt.Sprintf("%.4g", v)
}
