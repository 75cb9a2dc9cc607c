package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/cli/app"
)

const repository = "../.."

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestTextsLinks checks that the files linked from the texts at the root exist.
func TestTextsLinks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"README.md", "AGENTS.md", "llms.txt", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(repository, found[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// TestAgentsCommands checks that zen understands every command line in AGENTS.md, and that
// none of them would print a token.
func TestAgentsCommands(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repository, "AGENTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(text)) {
		line, ok := strings.CutPrefix(line, "    zen ")
		if !ok {
			continue
		}
		seen++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(quoted.ReplaceAllString(line, "SQL"))
		if words[0] == "token" || words[0] == "exec" {
			t.Errorf("zen %s shows a token", line)
		}
		if words[0] == "--help-json" {
			continue
		}
		a := fullProgram().App(nil, nil, nil)
		if app.CommandNamed(a.Commands, words[0]) == nil {
			t.Errorf("no command zen %s", words[0])
		}
		if _, err := app.FlagsFirst(a, append([]string{"zen"}, words...)); err != nil {
			t.Errorf("zen %s: %v", line, err)
		}
	}
	if seen < 5 {
		t.Errorf("AGENTS.md has %d commands, want at least 5", seen)
	}
}
