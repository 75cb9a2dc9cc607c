package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// checkout is where the pages are.
const checkout = "../.."

// build writes the site of the checkout.
func build(t *testing.T) (*site, string) {
	t.Helper()
	s, err := read(os.DirFS(checkout))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := s.write(dir); err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// TestSite holds that every link leads to a page and a heading that are there, that no
// page skips a level of headings, and that the contents and llms.txt have all pages.
func TestSite(t *testing.T) {
	s, dir := build(t)
	if len(s.pages) < 90 || len(s.groups) < 8 {
		t.Fatalf("%d pages in %d groups", len(s.pages), len(s.groups))
	}
	machines, err := os.ReadFile(filepath.Join(checkout, "llms.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for source, p := range s.pages {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(p.target))); err != nil {
			t.Error(err)
		}
		inLLMS := strings.Contains(string(machines), "("+source+")") || strings.Contains(string(machines), "("+strings.TrimSuffix(source, "/README.md")+")")
		if !inLLMS && !isFinding(source) && source != "CODE_OF_CONDUCT.md" {
			t.Errorf("llms.txt lacks %s", source)
		}
	}
	index, err := os.ReadFile(filepath.Join(dir, "sections.js"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(index), `"configuration.html#where-a-token-goes"`) {
		t.Error("the search doesn't know a heading of configuration.md")
	}
}

// TestMistakes holds that what is wrong with a page is said, with its name.
func TestMistakes(t *testing.T) {
	whole := map[string]string{
		"README.md":           "# One\n\n[a](docs/a.md#second-one) [all](docs)\n",
		"docs/README.md":      "# All\n\n## Group\n\n- [A](a.md)\n",
		"docs/a.md":           "# A\n\n## Second: one\n\n![a picture](pictures/p.svg) [here](#second-one) <https://example.com>\n",
		"docs/pictures/p.svg": "<svg/>",
	}
	for _, c := range []struct{ name, page, want string }{
		{"an empty page", "", ""},
		{"a link to no page", "# A\n\n[b](b.md)\n", "docs/a.md: the link to b.md: open docs/b.md"},
		{"a link to no heading", "# A\n\n[b](../README.md#two)\n", "docs/a.md: the link to ../README.md#two: README.md has no heading #two"},
		{"no heading here", "# A\n\n[b](#two)\n", "docs/a.md has no heading #two"},
		{"a link out of docs", "# A\n\n[b](../main.go)\n", "main.go is no page, nor a file of docs"},
		{"a script", "# A\n\n![b](javascript:b)\n", "docs/a.md: the link to javascript:b: what is outside of the site begins with https://"},
		{"a link to another host", "# A\n\n[b](//b.example)\n", "docs/a.md: the link to //b.example: what is outside"},
		{"a directory", "# A\n\n[b](pictures)\n", "docs/pictures/README.md is no page"},
		{"a picture without words", "# A\n\n![](pictures/p.svg)\n", "has no text for those who don't see it"},
		{"HTML", "# A\n\n<b>bold</b>\n", "docs/a.md has HTML"},
		{"an element", "# A\n\n<div>\n\nwords\n", "docs/a.md has HTML"},
		{"a comment", "# A\n\n<!-- figures: x -->\nwords\n", ""},
		{"no title", "words", "docs/a.md has no title"},
		{"a level left out", "# A\n\n## B\n\n#### C\n", `docs/a.md: "C" is 2 levels below`},
		{"two titles", "# A\n\n# B\n", `docs/a.md: "B" is a second title`},
		{"no first title", "## A\n", `docs/a.md: the first heading, "A", has to be the title`},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{"main.go": {}}
			for name, text := range whole {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if c.page != "" {
				files["docs/a.md"] = &fstest.MapFile{Data: []byte(c.page)}
				files["README.md"] = &fstest.MapFile{Data: []byte("# One\n")} // without the link to a heading that is gone
			}
			_, err := read(files)
			if c.want == "" && err != nil {
				t.Fatal(err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}

	files := fstest.MapFS{}
	for name, text := range whole {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	files["docs/alone.md"] = &fstest.MapFile{Data: []byte("# Alone\n")}
	if _, err := read(files); err == nil || !strings.Contains(err.Error(), "docs/alone.md: no group of docs/README.md has it") {
		t.Errorf("a page that the contents lack: %v", err)
	}
}

// TestCode holds what is marked in a block: what is typed, and the file that it is.
func TestCode(t *testing.T) {
	s, err := read(fstest.MapFS{
		"README.md":      {Data: []byte("# One\n\n    $ zen a \\\n      --b\n    <c>\n\n```go main.go\npackage main\n```\n")},
		"docs/README.md": {Data: []byte("# All\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	content, err := s.render(s.pages["README.md"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<span class=\"prompt\">$ </span><b>zen a \\</b>\n<b>  --b</b>\n&lt;c&gt;\n",
		"<p class=\"file\">main.go</p><pre><code>package main\n",
	} {
		if !strings.Contains(string(content), want) {
			t.Errorf("%s lacks %q", content, want)
		}
	}
}
