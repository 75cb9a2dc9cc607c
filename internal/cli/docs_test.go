package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/cli/app"
)

var (
	// typedLine matches a line of a block of a page with a zen command.
	typedLine = regexp.MustCompile(`(?m)^(?:    )?(?:\$ |    )((?:[A-Z_]+=\S+ )*(?:bin/)?zen(?: \S.*)?)$`)
	// span matches a command within a sentence or a table.
	span = regexp.MustCompile("`(zen [^`]+)`")
	// quotation matches a quoted word of a shell.
	quotation = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	// separator matches the end of a command.
	separator = regexp.MustCompile(`\s(?:\||&&|&|>|<|;|#|2>|3<)|\s*[|;>&]|…|\$\(|\s<`)
	// assignment matches a variable before a command.
	assignment = regexp.MustCompile(`^[A-Z_]+=`)
	// brackets removes the marks of optional parts and alternatives.
	brackets = strings.NewReplacer("[", "", "]", "", "(", "", ")", "", `\|`, "|")
)

// pages returns the documentation by file name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names := []string{"README.md", "AGENTS.md", "llms.txt", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	for _, dir := range []string{"docs", "examples"} {
		err := fs.WalkDir(os.DirFS(repository), dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Name() == "node_modules" {
				return fs.SkipDir
			}
			if err == nil && strings.HasSuffix(path, ".md") {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	texts := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// TestPagesCommands checks that zen understands every zen command in the pages: its name, its
// flags, and the values that they take.
func TestPagesCommands(t *testing.T) {
	seen := 0
	for name, text := range pages(t) {
		var lines []string
		for _, found := range typedLine.FindAllStringSubmatch(strings.ReplaceAll(text, "\\\n", " "), -1) {
			lines = append(lines, found[1])
		}
		for _, found := range span.FindAllStringSubmatch(strings.ReplaceAll(text, "\n", " "), -1) {
			lines = append(lines, placeholder.ReplaceAllString(found[1], "$1 1s"))
		}
		for _, line := range lines {
			for _, words := range commandsIn(line) {
				seen++
				if err := understood(words); (err != nil) != wrong[strings.Join(words, " ")] {
					t.Errorf("%s: %s: %v", name, line, err)
				}
			}
		}
	}
	if seen < 300 {
		t.Errorf("the pages have %d commands, want at least 300", seen)
	}
}

// commandsIn returns the zen commands in a line. A command after "--" may be a second one.
func commandsIn(line string) [][]string {
	line = quotation.ReplaceAllStringFunc(line, func(s string) string { return strings.Repeat("Q", len(s)) })
	line = brackets.Replace(line)
	var commands [][]string
	for _, part := range strings.Split(line, " && ") {
		if at := separator.FindStringIndex(part); at != nil {
			part = part[:at[0]]
		}
		words := strings.Fields(part)
		for len(words) > 0 && assignment.MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) > 1 && strings.TrimPrefix(words[0], "bin/") == "zen" && isWord.MatchString(words[1]) {
			commands = append(commands, words[1:])
		}
	}
	return commands
}

// wrong are the commands that the pages show for their errors.
var wrong = map[string]bool{"token --json --min-ttl 5": true, "tokn": true, "query": true}

// placeholder matches the letter D for a duration, or a flag whose value a sentence omits.
var placeholder = regexp.MustCompile(`(--(?:min-ttl|every|org|provider|region)) ?(?:D\b|$)`)

// isWord matches a command or a flag.
var isWord = regexp.MustCompile(`^(--?)?[a-z][a-z0-9-]*$`)

// understood returns an error if zen doesn't understand the words of a command line.
func understood(words []string) error {
	if words[0] == "--help-json" || words[0] == "end-left" { // which are not in the command tree
		return nil
	}
	_, err := app.FlagsFirst(fullProgram().App(nil, nil, nil), append([]string{"zen"}, words...))
	return err
}
