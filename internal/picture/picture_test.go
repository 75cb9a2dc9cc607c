package picture

import (
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestContrast demands WCAG's contrast of 4.5 for all text colours, by day and by night.
func TestContrast(t *testing.T) {
	luminance := func(colour string) float64 {
		var sum float64
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c := float64(n) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	contrast := func(a, b string) float64 {
		x, y := luminance(a), luminance(b)
		return (max(x, y) + 0.05) / (min(x, y) + 0.05)
	}
	ground := colours[0]
	for _, c := range colours[1:] {
		if c.class == "line" { // not used for text
			continue
		}
		for _, got := range []float64{contrast(c.day, ground.day), contrast(c.night, ground.night)} {
			if got < 4.5 {
				t.Errorf("%s has a contrast of %.2f", c.class, got)
			}
		}
	}
}

func TestTerminal(t *testing.T) {
	for _, c := range []struct{ name, stream, want string }{
		{"text", "one\r\ntwo\r\n", "one\ntwo"},
		{"the width", "123456789012\r\n3", "1234567890\n12\n3"},
		{"a full line has no second break", "1234567890\r\n1", "1234567890\n1"},
		{"written over", "working\r\x1b[Kdone", "done"},
		{"a style", "\x1b[31mbad\x1b[0m \x1b[1;32mgood\x1b[0m", "<bad>bad<ink> <good bold>good"},
	} {
		screen, err := play(c.stream, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		style := "ink"
		for i, line := range screen {
			if i > 0 {
				got.WriteByte('\n')
			}
			for _, cell := range line {
				if cell.style != style {
					got.WriteString("<" + cell.style + ">")
				}
				style = cell.style
				got.WriteRune(cell.r)
			}
		}
		if got.String() != c.want {
			t.Errorf("%s: %q, want %q", c.name, got.String(), c.want)
		}
	}
	for _, stream := range []string{"\x1b[2J", "\x1b[35m", "\a"} {
		if _, err := Terminal("", stream, 10); err == nil {
			t.Errorf("Terminal accepted %q", stream)
		}
	}
	svg, err := Terminal("a <title>", "\x1b[32mok     \x1b[0m a  <b>&\r\n", 20)
	if err != nil {
		t.Fatal(err)
	}
	isXML(t, svg)
	for _, want := range []string{
		`<title id="title">a &lt;title&gt;</title>`,
		`<text class="good" font-size="14" x="18.0" y="29.0" textLength="16.8">ok</text>`,
		`<text class="ink" font-size="14" x="85.2" y="29.0" textLength="8.4">a</text>`,
		`x="110.4" y="29.0" textLength="33.6">&lt;b&gt;&amp;</text>`,
	} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("%s\nlacks %s", svg, want)
		}
	}
}

func TestPlots(t *testing.T) {
	svg := PlotBars("bars", []Bars{{"read", []Bar{{"zen", "2 ms", 2, true}, {"a peer & more", "4 ms", 4, false}}}, {"nothing", []Bar{{"zen", "0", 0, true}}}})
	isXML(t, svg)
	for _, want := range []string{
		`<desc id="about">read, zen: 2 ms. read, a peer &amp; more: 4 ms. nothing, zen: 0</desc>`,
		`<rect class="accent" x="250" y="102" width="122.5"`,
		`<rect class="soft" x="250" y="140" width="245.0"`,
	} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("%s\nlacks %s", svg, want)
		}
	}
	svg = PlotLines("lines", "profiles", "ms", []Line{{"list", []Point{{1, 2}, {16000, 500}}}, {"use", []Point{{1, 2}, {16000, 250}}}})
	isXML(t, svg)
	if want := `<desc id="about">list: 500 ms at 16k profiles. use: 250 ms at 16k profiles</desc>`; !strings.Contains(string(svg), want) {
		t.Errorf("%s\nlacks %s", svg, want)
	}
	for _, c := range []struct {
		end  float64
		want []float64
	}{{526, []float64{0, 200, 400}}, {1, []float64{0, 0.5, 1}}, {16000, []float64{0, 5000, 10000, 15000}}, {0, nil}} {
		if got := ticks(c.end); !slices.Equal(got, c.want) {
			t.Errorf("ticks up to %g: %v, want %v", c.end, got, c.want)
		}
	}
}

// isXML fails the test unless svg is well-formed.
func isXML(t *testing.T, svg []byte) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
	}
}
