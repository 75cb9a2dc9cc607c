package live

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// cited matches a test named in the page, and its package.
var cited = regexp.MustCompile("`(Test\\w+)`(?: in ([\\w/]+))?")

// TestSpikePage checks that docs/spike.md has the questions of the spike and their expected
// answers, and that the tests it names exist.
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
			continue // its package is named elsewhere in the page
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
		t.Errorf("docs/spike.md names %d tests, want at least 20", seen)
	}
}
