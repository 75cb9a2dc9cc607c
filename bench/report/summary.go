package report

import (
	"fmt"
	"slices"
	"strings"
)

// summary is the group of the first table: the goals, with the figures from before that
// work and these figures.
const summary = "summary"

// aim is a row of the table.
type aim struct {
	what string
	// before is the measurement from when the goals were set, on the same kind of machine
	// without load.
	before string
	now    []measured
	goal   string
	// why says in one line why a goal is missed, and is left out if it is reached.
	why string
}

// measured is a number from the figures: a median, a ratio, the difference of two medians
// of a group, or the slope of a growth.
type measured struct {
	group, name string
	kind        kind
	// than is the figure that a difference is relative to, x the point of a growth.
	than string
	x    float64
	// most is the goal, 0 is none.
	most float64
}

type kind int

const (
	median kind = iota
	ratio
	difference
	slope
)

// The values of before are from an early commit of this work, from which the goals were
// set.
var aims = []aim{
	{"warm `zen token`", "4.1 to 4.6 ms, 2.6 of the floor", []measured{{group: "warm token", name: "zen token"}, {group: "warm token", name: "zen token", kind: ratio, most: 1.6}}, "1.6 of the floor",
		"what is linked and started takes 0.08 of the floor, the configuration 0.1, the credentials 0.1, the keys and the signature up to 0.15"},
	{"its memory", "8.4 MiB", []measured{{group: "warm token: memory", name: "zen token", most: 3.5}}, "3.5 MiB",
		"nine tenths of what it has beyond the floor are code, types and function tables; without the keyring's client, ECDSA, Ed25519 and go-toml it would still be 3.66"},
	{"cold `zen token`", "49 to 51 ms", []measured{{group: "cold token", name: "clerk", most: 35}}, "35 ms",
		"programs with gRPC start, zen-full and the provider, whose sum of 12.6 MB alone is 6 ms of CPU"},
	{"the front before another command", "3.0 to 3.5 ms", []measured{{group: "command", name: "zen version", kind: difference, than: "zen-full version", most: 2}}, "1 to 2 ms", "the front's own start"},
	{"`zen db query`, a good token", "11.8 to 12.8 ms; turso shell 8.3 to 9.0", []measured{{group: "query", name: "zen db query"}, {group: "query", name: "zen db query", kind: ratio, most: 1}}, "below the turso shell",
		"the turso shell takes the token that it is given; zen reads and verifies its own first"},
	{"SELECT 1, one connection: zen dev, a real sqld", "1.02 of libsql-client-go, on sqld", []measured{{group: "SELECT 1: 1 at once", name: "core/libsql", kind: ratio, most: 1}, {group: "SELECT 1 on sqld: 1 at once", name: "core/libsql", kind: ratio, most: 1}}, "ahead of libsql-client-go", "both wait for net/http"},
	{"the same, 8 and 64 goroutines, sqld", "0.62, 0.61 of libsql-client-go", []measured{{group: "SELECT 1 on sqld: 8 at once", name: "core/libsql", kind: ratio, most: 1}, {group: "SELECT 1 on sqld: 64 at once", name: "core/libsql", kind: ratio, most: 1}}, "ahead of libsql-client-go", "both wait for net/http"},
	{"replica: row, 100 rows", "0.54, 0.21 of go-libsql", []measured{{group: "replica: read a row", name: "zen", kind: ratio, most: 0.54}, {group: "replica: read 100 rows", name: "zen", kind: ratio, most: 0.21}}, "as before", "a sixth of a row's time asks whether the file is still the replica's, a third is SQLite's lock, and a quarter database/sql"},
	{"replica: write through, first open, sync, reopen", "1.26, 1.46, about 2, 1.23 of go-libsql",
		[]measured{{group: "replica: write through", name: "zen", kind: ratio, most: 1.05}, {group: "replica: first open", name: "zen", kind: ratio, most: 1.05}, {group: "replica: sync of 100,000 rows", name: "zen", kind: ratio, most: 1.05}, {group: "replica: reopen", name: "zen", kind: ratio, most: 1.05}}, "at most 1.05 each",
		"of three runs each, which differ by a half where a file is made"},
	{"proxy, 1, 16, 128 connections", "1.03, 1.15, 1.08 of a plain ReverseProxy",
		[]measured{{group: "proxy: 1 connections", name: "zen proxy", kind: ratio, most: 1}, {group: "proxy: 16 connections", name: "zen proxy", kind: ratio, most: 1}, {group: "proxy: 128 connections", name: "zen proxy", kind: ratio, most: 1}}, "at most 1.0",
		"with many connections on two cores the scheduling of client, proxy and server decides; the CPU below tells them apart"},
	{"script of 1,000 statements", "302 ms; turso shell 57", []measured{{group: "script of 1,000 statements", name: "zen db query --file"}, {group: "script of 1,000 statements", name: "zen db query --file", kind: ratio, most: 1}}, "ahead of the turso shell",
		"zen asks for the result of each statement, to name the one that fails; the shell sends the text as one"},
	{"the same, 20 ms away", "21.6 s; turso shell 0.07", []measured{{group: "script of 1,000 statements, 20 ms away", name: "zen db query --file"}, {group: "script of 1,000 statements, 20 ms away", name: "zen db query --file", kind: ratio, most: 1}}, "ahead of the turso shell",
		"as near, and requests more than the shell's one"},
	{"2 million rows to CSV", "1.78 s, 1.73 of sqlite3", []measured{{group: "two million rows as CSV", name: "zen db query, remote", kind: ratio, most: 1.3}, {group: "two million rows as CSV", name: "zen db query, a file", kind: ratio, most: 1.3}}, "1.3 of sqlite3",
		"sqlite3 reads the file itself; the rows come over HTTP, written and read as JSON"},
	{"`profiles list`, 1, 100, 1,000, 2,000 profiles", "10, 22, 293, 976 ms",
		[]measured{{group: "growth: profiles", name: "zen profiles list", x: 1}, {group: "growth: profiles", name: "zen profiles list", x: 100}, {group: "growth: profiles", name: "zen profiles list", x: 1000}, {group: "growth: profiles", name: "zen profiles list", x: 2000}}, "linear", ""},
	{"a profile more, at each `zen token`", "", []measured{{group: "growth: profiles", name: "zen token", kind: slope}}, "none that isn't used", "its lines are checked, as all of the file is; none of it is decoded or kept"},
	{"a token of another database, at each `zen token`, `zen status`", "10, 21 µs", []measured{{group: "growth: tokens of a profile", name: "zen token", kind: slope}, {group: "growth: tokens of a profile", name: "zen status", kind: slope}}, "none that isn't used",
		""},
	{"a signed-in profile more, at `profiles list`", "73 µs", []measured{{group: "growth: profiles that are signed in", name: "zen profiles list", kind: slope}}, "linear", ""},
}

// summarized is the table.
func summarized(figures []Figure) string {
	var b strings.Builder
	b.WriteString("\n| | before | now | goal | |\n|---|---|---|---|---|\n")
	for _, a := range aims {
		var now []string
		reached, judged, all := true, false, true
		for _, m := range a.now {
			value, text, found := m.of(figures)
			if !found {
				text, all = "not measured", false
			}
			now = append(now, text)
			if m.most != 0 {
				judged = true
				reached = reached && value <= m.most
			}
		}
		verdict := ""
		switch {
		case !all:
		case judged && reached:
			verdict = "reached"
		case judged:
			verdict = "not reached: " + a.why
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", a.what, a.before, strings.Join(now, ", "), a.goal, verdict)
	}
	return b.String() + "\n"
}

// of returns the number and its text.
func (m measured) of(figures []Figure) (value float64, text string, found bool) {
	find := func(name string) int {
		return slices.IndexFunc(figures, func(f Figure) bool { return f.Group == m.group && f.Name == name && (m.x == 0 || f.X == m.x) })
	}
	at := find(m.name)
	if at < 0 {
		return 0, "", false
	}
	f := figures[at]
	switch m.kind {
	case ratio:
		return f.Ratio, number(f.Ratio) + " of " + f.RatioOf, f.RatioOf != ""
	case difference:
		other := find(m.than)
		if other < 0 {
			return 0, "", false
		}
		value = rounded(f.Median - figures[other].Median)
		return value, number(value) + " " + f.Unit, true
	case slope:
		line := slices.DeleteFunc(slices.Clone(figures), func(f Figure) bool { return f.Group != m.group || f.Name != m.name })
		return Slope(line), each(Slope(line), f.Unit), true
	}
	return f.Median, number(f.Median) + " " + f.Unit, true
}
