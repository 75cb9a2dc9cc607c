package live

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// cited is a test that the page names, and where it is.
var cited = regexp.MustCompile("`(Test\\w+)`(?: in ([\\w/]+))?")

// TestSpikePage holds that docs/spike.md has the questions of the plan and their expected
// answers, and that the tests which it names are there.
func TestSpikePage(t *testing.T) {
	text, err := os.ReadFile("../docs/spike.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, q := range spike {
		if row := "| " + q.id + " | " + q.asked + " | " + q.expected.String() + " |"; !strings.Contains(page, row) {
			t.Errorf("docs/spike.md lacks %s", row)
		}
	}
	seen := 0
	for _, found := range cited.FindAllStringSubmatch(page, -1) {
		if found[2] == "" {
			continue // which is named with its place elsewhere
		}
		seen++
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(found[2]), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		there := false
		for _, name := range files {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			there = there || strings.Contains(string(source), "func "+found[1]+"(")
		}
		if !there {
			t.Errorf("docs/spike.md names %s, which isn't in %s", found[1], found[2])
		}
	}
	if seen < 20 {
		t.Errorf("docs/spike.md names %d tests", seen)
	}
}
