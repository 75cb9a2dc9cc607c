package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteSortsAndReplacesGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.json")
	floor := Of("warm", "floor", "ms", []float64{3, 1, 2})
	for _, figures := range [][]Figure{
		{Of("warm", "zen token", "ms", []float64{9}), Of("cold", "clerk", "ms", []float64{50.126})},
		{Of("warm", "zen token", "ms", []float64{4, 5, 6}).Beside(floor).Within(1.6), floor},
	} {
		if _, err := Write(path, figures); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[
{"group":"cold","name":"clerk","unit":"ms","runs":1,"median":50.1,"p10":50.1,"p90":50.1},
{"group":"warm","name":"floor","unit":"ms","runs":3,"median":2,"p10":1,"p90":3},
{"group":"warm","name":"zen token","unit":"ms","runs":3,"median":5,"p10":4,"p90":6,"ratio_of":"floor","ratio":2.5,"goal":1.6}
]
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestFill(t *testing.T) {
	at := func(x, v float64) Figure {
		return Figure{Group: "growth: profiles", Name: "list", Unit: "ms", X: x, Median: v}
	}
	const page = "before\n\n<!-- figures: growth: profiles -->\nold\n<!-- end of figures -->\n\nafter\n"
	got, err := fill(page, []Figure{at(1000, 12), at(1, 2.01), at(11000, 112), {Group: "warm"}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `before

<!-- figures: growth: profiles -->
![growth: profiles](pictures/plot-growth-profiles.svg)

| | list |
|---|---|
| 1 | 2.01 ms |
| 1,000 | 12 ms |
| 11,000 | 112 ms |
| each adds | 10 µs |
<!-- end of figures -->

after
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := fill("<!-- figures: warm -->\n", []Figure{{Group: "warm"}}); err == nil || !strings.Contains(err.Error(), "have no line") {
		t.Errorf("a block without an end: %v", err)
	}
	several := []Figure{{Group: "remote: a", Name: "zen"}, {Group: "remote: b", Name: "zen"}, {Group: "local", Name: "zen"}}
	got, err = fill("<!-- figures: remote: * --><!-- end of figures --><!-- figures: none --><!-- end of figures -->", several)
	if err != nil || !strings.Contains(got, "\n| a, zen |") || !strings.Contains(got, "\n| b, zen |") || strings.Count(got, "zen") != 2 || !strings.Contains(got, "had none of these") {
		t.Errorf("fill = %s, %v", got, err)
	}
}

// TestPage checks that the page has the figures of its JSON file.
func TestPage(t *testing.T) {
	figures, err := Read("../../docs/benchmarks.json")
	if err != nil || len(figures) == 0 {
		t.Fatalf("%d figures, %v", len(figures), err)
	}
	page, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	filled, err := fill(string(page), figures)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(page), filled); diff != "" {
		t.Errorf("docs/benchmarks.md is not made of docs/benchmarks.json (make generate): %s", diff)
	}
	drawn, err := plots(string(page), figures)
	if err != nil || len(drawn) == 0 {
		t.Fatalf("%d plots, %v", len(drawn), err)
	}
	for name, want := range drawn {
		if got, err := os.ReadFile("../../docs/" + name); err != nil || string(got) != string(want) {
			t.Errorf("docs/%s is not drawn from docs/benchmarks.json (make generate), %v", name, err)
		}
	}
}

func TestPlots(t *testing.T) {
	figures := []Figure{
		{Group: "near: read", Name: "core/libsql", Unit: "ms", Median: 2},
		{Group: "near: read", Name: "a peer", Unit: "ms", Median: 4},
		{Group: "near: write", Name: "core/libsql", Unit: "ms", Median: 3},
		{Group: "growth: profiles", Name: "list", Unit: "ms", X: 1, Median: 2},
		{Group: "growth: profiles", Name: "list", Unit: "ms", X: 1000, Median: 12},
	}
	drawn, err := plots("![bars](pictures/plot-near.svg) ![lines](pictures/plot-growth-profiles.svg)", figures)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"pictures/plot-near.svg":            "read, core/libsql: 2 ms. read, a peer: 4 ms. write, core/libsql: 3 ms",
		"pictures/plot-growth-profiles.svg": "list, each adds 10 µs: 12 ms at 1000 profiles",
	} {
		if !strings.Contains(string(drawn[name]), "<desc id=\"about\">"+want+"</desc>") {
			t.Errorf("%s\nof %s lacks %q", drawn[name], name, want)
		}
	}
	if _, err := plots("![gone](pictures/plot-gone.svg)", figures); err == nil || !strings.Contains(err.Error(), `no figures have a plot "gone"`) {
		t.Errorf("a plot without figures: %v", err)
	}
}

func TestSummaryJudgesByTheGoals(t *testing.T) {
	figures := []Figure{
		{Group: "warm token", Name: "zen token", Unit: "ms", Median: 2, RatioOf: "floor", Ratio: 1.5},
		{Group: "cold token", Name: "clerk", Unit: "ms", Median: 42.5},
		{Group: "command", Name: "zen version", Unit: "ms", Median: 6.5}, {Group: "command", Name: "zen-full version", Unit: "ms", Median: 5.1},
		{Group: "growth: profiles", Name: "zen token", Unit: "ms", X: 1, Median: 2}, {Group: "growth: profiles", Name: "zen token", Unit: "ms", X: 1001, Median: 10},
	}
	table, err := fill("<!-- figures: summary -->\n<!-- end of figures -->", figures)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| warm `zen token` | 4.1 to 4.6 ms, 2.6 of the floor | 2 ms, 1.50 of floor | 1.6 of the floor | reached |",
		"| cold `zen token` | 49 to 51 ms | 42.5 ms | 35 ms | not reached: programs",
		"| 3.0 to 3.5 ms | 1.40 ms | 1 to 2 ms | reached |",
		"| a profile more, at each `zen token` |  | 8 µs | none that isn't used |  |",
		"| replica: row, 100 rows | 0.54, 0.21 of go-libsql | not measured, not measured | as before |  |",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}
