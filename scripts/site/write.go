package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
)

//go:embed page.html
var layout string

//go:embed files
var files embed.FS

var pageTemplate = template.Must(template.New("page").Parse(layout))

// view is the data that the layout shows.
type view struct {
	Title, Heading, Description, Root string
	Groups                            []viewGroup
	Sections                          []heading
	Body                              template.HTML
	Before, After                     *viewLink
}

type viewGroup struct {
	Title string
	Links []viewLink
}

type viewLink struct {
	Title, URL string
	Current    bool
}

// write writes the site to a directory.
func (s *site) write(out string) error {
	for _, p := range s.pages {
		content, err := s.render(p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.source, err)
		}
		if err := put(out, p.target, content); err != nil {
			return err
		}
	}
	for name := range s.assets {
		content, err := fs.ReadFile(s.files, name)
		if err != nil {
			return err
		}
		if err := put(out, strings.TrimPrefix(name, "docs/"), content); err != nil {
			return err
		}
	}
	index, err := s.index()
	if err != nil {
		return err
	}
	if err := put(out, "sections.js", index); err != nil {
		return err
	}
	own, err := fs.Sub(files, "files")
	if err != nil {
		return err
	}
	return os.CopyFS(out, own)
}

func put(dir, name string, content []byte) error {
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o644)
}

func (s *site) render(p *page) ([]byte, error) {
	var body bytes.Buffer
	if err := markdown.Renderer().Render(&body, p.text, p.doc); err != nil {
		return nil, err
	}
	v := view{Title: p.title + " · zen", Heading: p.title, Description: p.description, Root: p.relative(""), Body: template.HTML(body.String())}
	if p.source == "README.md" {
		v.Title = "zen: databases with the identity you have"
	}
	current := p
	if isFinding(p.source) {
		current = s.pages["docs/errors/README.md"]
	}
	for _, g := range s.groups {
		shown := viewGroup{Title: g.Title}
		for _, e := range g.Entries {
			shown.Links = append(shown.Links, viewLink{e.Title, p.relative(e.page.target), e.page == current})
		}
		v.Groups = append(v.Groups, shown)
	}
	for _, h := range p.headings {
		if h.Level == 2 {
			v.Sections = append(v.Sections, h)
		}
	}
	if at := slices.Index(s.order, p); at >= 0 {
		if at > 0 {
			v.Before = s.linkTo(p, s.order[at-1])
		}
		if at+1 < len(s.order) {
			v.After = s.linkTo(p, s.order[at+1])
		}
	}
	var content bytes.Buffer
	err := pageTemplate.Execute(&content, v)
	return content.Bytes(), err
}

// linkTo returns a link with the title that the contents have.
func (s *site) linkTo(from, to *page) *viewLink {
	for _, g := range s.groups {
		for _, e := range g.Entries {
			if e.page == to {
				return &viewLink{Title: e.Title, URL: from.relative(to.target)}
			}
		}
	}
	return nil
}

// section is a result of the search: the part of a page below one heading.
type section struct {
	URL     string `json:"url"`
	Page    string `json:"page"`
	Heading string `json:"heading"`
	Text    string `json:"text"`
}

// index returns a script with all sections, since a page that is opened from a disk may load
// a script and no data.
func (s *site) index() ([]byte, error) {
	var sections []section
	for _, source := range slices.Sorted(maps.Keys(s.pages)) {
		p := s.pages[source]
		now := section{URL: p.target, Page: p.title, Heading: p.title}
		n := 0
		for node := p.doc.FirstChild(); node != nil; node = node.NextSibling() {
			if _, ok := node.(*ast.Heading); ok {
				h := p.headings[n]
				n++
				if h.Level == 1 {
					continue
				}
				sections = append(sections, now)
				now = section{URL: p.target + "#" + h.ID, Page: p.title, Heading: h.Text}
				continue
			}
			now.Text = strings.TrimSpace(now.Text + " " + p.plain(node))
		}
		sections = append(sections, now)
	}
	content, err := json.Marshal(sections)
	return fmt.Appendf(nil, "const sections = %s;\n", content), err
}
