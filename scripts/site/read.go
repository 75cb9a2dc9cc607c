package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// contents is the page that has all others, in their groups.
const contents = "docs/README.md"

// site is all of the pages, read and checked.
type site struct {
	files  fs.FS
	pages  map[string]*page // by their source
	groups []*group
	order  []*page         // as the groups have them
	assets map[string]bool // files that pages show or link, by their source
}

// group are pages that belong together, in the contents.
type group struct {
	Title   string
	Entries []entry
}

// entry is a page in the contents.
type entry struct {
	Title string
	page  *page
}

// page is one of the site.
type page struct {
	source, target string // paths in the checkout and in the site
	text           []byte
	doc            ast.Node
	title          string
	description    string
	headings       []heading
}

// heading is one of a page's.
type heading struct {
	ID, Text string
	Level    int
}

// read reads the pages of a checkout. Its error has a line for each mistake in them.
func read(files fs.FS) (*site, error) {
	s := &site{files: files, pages: make(map[string]*page), assets: make(map[string]bool)}
	sources, err := sources(files)
	if err != nil {
		return nil, err
	}
	var mistakes []error
	for _, source := range sources {
		text, err := fs.ReadFile(files, source)
		if err != nil {
			return nil, err
		}
		p := parse(source, text)
		s.pages[source] = p
		mistakes = append(mistakes, p.checkHeadings())
	}
	if s.pages[contents] == nil {
		return nil, fmt.Errorf("%s is missing: it has the pages in their groups", contents)
	}
	for _, source := range sources {
		mistakes = append(mistakes, s.link(s.pages[source])...)
	}
	s.readContents()
	for _, source := range sources {
		p := s.pages[source]
		if !slices.Contains(s.order, p) && source != contents && source != "README.md" && !isFinding(source) {
			mistakes = append(mistakes, fmt.Errorf("%s: no group of %s has it", source, contents))
		}
	}
	return s, errors.Join(mistakes...)
}

// sources returns the texts that the site is made of.
func sources(files fs.FS) ([]string, error) {
	var names []string
	for _, pattern := range []string{"*.md", "examples/*/README.md"} {
		found, err := fs.Glob(files, pattern)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	err := fs.WalkDir(files, "docs", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// isFinding reports whether a page is that of one finding of the doctor's, which their own
// list has.
func isFinding(source string) bool {
	return path.Dir(source) == "docs/errors" && path.Base(source) != "README.md"
}

// target returns the file of a source's page.
func target(source string) string {
	switch name, inDocs := strings.CutPrefix(source, "docs/"); {
	case source == "README.md":
		return "index.html"
	case source == contents:
		return "contents.html"
	case inDocs && path.Base(name) == "README.md":
		return path.Dir(name) + "/index.html"
	case inDocs:
		return strings.TrimSuffix(name, ".md") + ".html"
	case strings.HasPrefix(source, "examples/"):
		return path.Dir(source) + ".html"
	default: // the project's own, in capitals
		return "project/" + strings.ToLower(strings.TrimSuffix(source, ".md")) + ".html"
	}
}

func parse(source string, content []byte) *page {
	p := &page{source: source, target: target(source), text: content}
	p.doc = markdown.Parser().Parse(text.NewReader(content))
	ids := make(map[string]int)
	for n := p.doc.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			h := heading{Text: p.plain(n), Level: n.Level}
			h.ID = anchor(h.Text, ids)
			n.SetAttributeString("id", []byte(h.ID))
			p.headings = append(p.headings, h)
			p.title = cmp.Or(p.title, h.Text)
		case *ast.Paragraph:
			if p.description == "" {
				p.description = p.plain(n)
			}
		}
	}
	return p
}

// checkHeadings wants one title, and no level left out.
func (p *page) checkHeadings() error {
	level := 0
	for _, h := range p.headings {
		switch {
		case level == 0 && h.Level != 1:
			return fmt.Errorf("%s: the first heading, %q, has to be the title, with one #", p.source, h.Text)
		case level > 0 && h.Level == 1:
			return fmt.Errorf("%s: %q is a second title", p.source, h.Text)
		case h.Level > level+1:
			return fmt.Errorf("%s: %q is %d levels below the heading before it", p.source, h.Text, h.Level-level)
		}
		level = h.Level
	}
	if level == 0 {
		return fmt.Errorf("%s has no title", p.source)
	}
	return nil
}

// has reports whether a page has an anchor.
func (p *page) has(id string) bool {
	return slices.ContainsFunc(p.headings, func(h heading) bool { return h.ID == id })
}

// plain returns the text of a node without its markup.
func (p *page) plain(n ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Segment.Value(p.text))
				if n.SoftLineBreak() || n.HardLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.AutoLink:
			if entering {
				b.Write(n.URL(p.text))
			}
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			if entering {
				b.Write(n.Lines().Value(p.text))
			}
		default:
			if !entering && n.Type() == ast.TypeBlock {
				b.WriteByte(' ') // cells and items are words of their own
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// readContents takes the groups from the contents: a heading, and a list of links.
func (s *site) readContents() {
	p := s.pages[contents]
	for n := p.doc.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 2 {
				s.groups = append(s.groups, &group{Title: p.plain(n)})
			}
		case *ast.List:
			if len(s.groups) == 0 {
				continue
			}
			g := s.groups[len(s.groups)-1]
			for item := n.FirstChild(); item != nil; item = item.NextSibling() {
				for _, l := range links(item) {
					if to := s.at(string(l.Destination)); to != nil {
						g.Entries = append(g.Entries, entry{p.plain(l), to})
						s.order = append(s.order, to)
					}
				}
			}
		}
	}
}

// at returns the page at a place of the site.
func (s *site) at(target string) *page {
	for _, p := range s.pages {
		if p.target == target {
			return p
		}
	}
	return nil
}
