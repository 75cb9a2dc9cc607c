package picture

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// Sizes of a terminal's text.
const (
	size      = 14.0
	column    = size * 0.6 // each text is stretched to whole columns, whatever the font
	row       = 21.0
	terminalX = 18.0
	terminalY = 14.0
)

// cell is a place of the screen.
type cell struct {
	r     rune
	style string // classes
}

// escape is one that a terminal obeys: SGR, erase to the end of the line, and the column.
var escape = regexp.MustCompile(`^\x1b\[([0-9;]*)([A-Za-z])`)

// styles are the classes of SGR's parameters.
var styles = map[string]string{"31": "bad", "32": "good", "33": "warn", "36": "accent"}

// Terminal draws what a terminal of so many columns shows after a stream: its text, and
// the escapes that zen writes. Others are an error.
func Terminal(title, stream string, columns int) ([]byte, error) {
	screen, err := play(stream, columns)
	if err != nil {
		return nil, err
	}
	var text []string
	for _, line := range screen {
		var b strings.Builder
		for _, c := range line {
			b.WriteRune(c.r)
		}
		text = append(text, strings.TrimRight(b.String(), " "))
	}
	d := begin(int(2*terminalX+column*float64(columns)+0.5), int(2*terminalY+row*float64(len(screen))), mono, title, strings.Join(text, "\n"))
	for y, line := range screen {
		for from := 0; from < len(line); {
			to := from + 1
			for to < len(line) && line[to].style == line[from].style && !(line[to].r == ' ' && line[to-1].r == ' ') {
				to++
			}
			d.run(line[from:to], from, y)
			from = to
		}
	}
	return d.end(), nil
}

// run draws cells of one style, without the blanks around them.
func (d *drawing) run(cells []cell, x, y int) {
	for len(cells) > 0 && cells[0].r == ' ' {
		cells, x = cells[1:], x+1
	}
	for len(cells) > 0 && cells[len(cells)-1].r == ' ' {
		cells = cells[:len(cells)-1]
	}
	if len(cells) == 0 {
		return
	}
	var text strings.Builder
	for _, c := range cells {
		text.WriteRune(c.r)
	}
	d.print(`<text class="%s" font-size="%g" x="%.1f" y="%.1f" textLength="%.1f">%s</text>`, cells[0].style, size,
		terminalX+column*float64(x), terminalY+row*float64(y)+15, column*float64(len(cells)), html.EscapeString(text.String()))
}

// play returns the screen after a stream, without the empty lines at its end.
func play(stream string, columns int) ([][]cell, error) {
	screen := [][]cell{nil}
	x, colour, bold := 0, "ink", false
	for len(stream) > 0 {
		y := len(screen) - 1
		if found := escape.FindStringSubmatch(stream); found != nil {
			stream = stream[len(found[0]):]
			switch parameters, kind := found[1], found[2]; {
			case kind == "K" && (parameters == "" || parameters == "0"):
				screen[y] = screen[y][:min(x, len(screen[y]))]
			case kind == "m":
				for _, p := range strings.Split(parameters, ";") {
					switch {
					case p == "" || p == "0":
						colour, bold = "ink", false
					case p == "1":
						bold = true
					case styles[p] != "":
						colour = styles[p]
					default:
						return nil, fmt.Errorf("the escape %q has a style that no picture has", found[0])
					}
				}
			default:
				return nil, fmt.Errorf("the escape %q is none that a picture shows", found[0])
			}
			continue
		}
		for _, r := range stream {
			stream = stream[len(string(r)):]
			switch {
			case r == '\r':
				x = 0
			case r == '\n':
				screen, x = append(screen, nil), 0
			case r < ' ' || r == 0x7f:
				return nil, fmt.Errorf("the stream has a control character %q", r)
			default:
				if x == columns {
					screen, x = append(screen, nil), 0
				}
				y := len(screen) - 1
				for len(screen[y]) <= x {
					screen[y] = append(screen[y], cell{' ', "ink"})
				}
				style := colour
				if bold {
					style += " bold"
				}
				screen[y][x] = cell{r, style}
				x++
			}
			break
		}
	}
	for len(screen) > 1 && len(screen[len(screen)-1]) == 0 {
		screen = screen[:len(screen)-1]
	}
	return screen, nil
}
