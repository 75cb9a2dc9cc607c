package doctor

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/errors")

// TestPages checks that docs/errors has a page for each id and no others, and that each id in
// the code has a page.
func TestPages(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "errors")
	index := "# Findings\n\nWhat the ids of `zen doctor` mean. `zen explain ID` prints the same.\n\n"
	want := map[string]string{}
	for _, id := range PageIDs() {
		p, _ := PageOf(id)
		want[id+".md"] = p.Markdown()
		index += "- [" + id + "](" + id + ".md): " + p.Means + "\n"
	}
	want["README.md"] = index
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := want[e.Name()]; !ok {
			t.Errorf("docs/errors/%s belongs to no finding", e.Name())
		}
	}
	for name, text := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != text {
			t.Errorf("docs/errors/%s differs; go test ./internal/doctor -run TestPages -update writes it", name)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	ids := regexp.MustCompile(`"((?:binary|bundle|config|cors|database|issuer|network|plan|signin|storage|token|turso)\.[a-z.-]+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range ids.FindAllStringSubmatch(string(text), -1) {
			if _, ok := PageOf(found[1]); !ok && !slices.Contains([]string{"token.actions.githubusercontent.com"}, found[1]) {
				t.Errorf("%s: %s has no page", file, found[1])
			}
		}
	}
	if strings.Contains(index, "  ") {
		t.Error("the index has two spaces in a row")
	}
}
