// Package picture draws the pictures of docs as SVG: what a terminal shows, and plots of
// measurements. They are the same bytes for the same input, need no font but a system's
// own, and have colours for day and night.
package picture

import (
	"fmt"
	"html"
	"strings"
)

// colours are the colours of a picture, by day and by night. The first is the ground.
var colours = []struct{ class, day, night string }{
	{"ground", "#f3f6f5", "#182120"},
	{"ink", "#17211f", "#e8efed"},
	{"soft", "#55625f", "#9aa9a5"},
	{"line", "#c9d2cf", "#3a4745"},
	{"accent", "#0f766e", "#4fd1c1"},
	{"good", "#0b6b52", "#7fe0bd"},
	{"warn", "#8a4b08", "#f4c078"},
	{"bad", "#a4201c", "#ffb0a9"},
}

const (
	mono = `ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace`
	sans = `system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif`
)

// drawing is a picture that is being drawn.
type drawing struct{ b strings.Builder }

// begin draws the ground. A reader that doesn't see the picture gets the title and the
// description.
func begin(width, height int, font, title, description string) *drawing {
	d := &drawing{}
	d.print(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title about">`, width, height, width, height)
	d.print(`<title id="title">%s</title>`, html.EscapeString(title))
	d.print(`<desc id="about">%s</desc>`, html.EscapeString(description))
	day, night := "", ""
	for _, c := range colours {
		day += rule(c.class, c.day)
		night += rule(c.class, c.night)
	}
	d.print("<style>text{font-family:%s}.bold{font-weight:700}path{fill:none;stroke-width:3}%s\n@media (prefers-color-scheme:dark){%s}</style>", font, day, night)
	d.print(`<rect class="ground line-line" x="0.5" y="0.5" width="%d" height="%d" rx="10"/>`, width-1, height-1)
	return d
}

// rule gives a class its colour, and one its name with "-line", which is drawn as a line.
func rule(class, colour string) string {
	return fmt.Sprintf(".%s{fill:%s}.%s-line{stroke:%s}", class, colour, class, colour)
}

func (d *drawing) print(format string, args ...any) {
	fmt.Fprintf(&d.b, format+"\n", args...)
}

func (d *drawing) end() []byte {
	d.print("</svg>")
	return []byte(d.b.String())
}
