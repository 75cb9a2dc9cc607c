package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
)

// anchor returns the id of a heading: the one that GitHub makes, so that a link is good there
// and here. A second heading of the same text gets a number.
func anchor(text string, taken map[string]int) string {
	id := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, text)
	n := taken[id]
	taken[id]++
	if n > 0 {
		return fmt.Sprintf("%s-%d", id, n)
	}
	return id
}

func links(n ast.Node) []*ast.Link {
	var found []*ast.Link
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if l, ok := n.(*ast.Link); ok && entering {
			found = append(found, l)
		}
		return ast.WalkContinue, nil
	})
	return found
}

// link turns the links and pictures of a page from places in the checkout into places in
// the site.
func (s *site) link(p *page) (mistakes []error) {
	_ = ast.Walk(p.doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		var destination *[]byte
		switch n := n.(type) {
		case *ast.Link:
			destination = &n.Destination
		case *ast.Image:
			destination = &n.Destination
			if p.plain(n) == "" {
				mistakes = append(mistakes, fmt.Errorf("%s: the picture %s has no text for those who don't see it", p.source, n.Destination))
			}
		case *ast.HTMLBlock:
			if n.HTMLBlockType == ast.HTMLBlockType2 { // a comment
				return ast.WalkContinue, nil
			}
			mistakes = append(mistakes, fmt.Errorf("%s has HTML, which the site leaves out", p.source))
			return ast.WalkContinue, nil
		case *ast.RawHTML:
			mistakes = append(mistakes, fmt.Errorf("%s has HTML, which the site leaves out", p.source))
			return ast.WalkContinue, nil
		default:
			return ast.WalkContinue, nil
		}
		to, err := s.resolve(p, string(*destination))
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: the link to %s: %w", p.source, *destination, err))
		}
		*destination = []byte(to)
		return ast.WalkContinue, nil
	})
	return mistakes
}

func (s *site) resolve(p *page, destination string) (string, error) {
	u, err := url.Parse(destination)
	if err != nil {
		return "", err
	}
	if u.IsAbs() || u.Host != "" {
		if u.Scheme != "https" {
			return "", errors.New("what is outside of the site begins with https://")
		}
		return destination, nil
	}
	to := p
	if u.Path != "" {
		name := path.Join(path.Dir(p.source), u.Path)
		info, err := fs.Stat(s.files, name)
		if err != nil {
			return "", err
		}
		if info.IsDir() {
			name = path.Join(name, "README.md")
		}
		if to = s.pages[name]; to == nil {
			asset, inDocs := strings.CutPrefix(name, "docs/")
			if !inDocs || info.IsDir() {
				return "", fmt.Errorf("%s is no page, nor a file of docs", name)
			}
			s.assets[name] = true
			return p.relative(asset), nil
		}
	}
	if u.Fragment == "" {
		return p.relative(to.target), nil
	}
	if !to.has(u.Fragment) {
		return "", fmt.Errorf("%s has no heading #%s", to.source, u.Fragment)
	}
	if to == p {
		return "#" + u.Fragment, nil
	}
	return p.relative(to.target) + "#" + u.Fragment, nil
}

// relative returns the way from a page to another place in the site. It is the same wherever
// the site is put.
func (p *page) relative(target string) string {
	return strings.Repeat("../", strings.Count(p.target, "/")) + target
}
