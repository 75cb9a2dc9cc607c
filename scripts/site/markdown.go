package main

import (
	"bytes"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// markdown is the language of the pages: CommonMark, and tables. Cells are aligned by
// an attribute, since the site's policy allows no styles but its own.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(parts{}, 100))),
)

// parts are the parts of a page that look otherwise than goldmark has them.
type parts struct{}

func (parts) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, renderHeading)
	r.Register(ast.KindCodeBlock, renderCode)
	r.Register(ast.KindFencedCodeBlock, renderCode)
	r.Register(ast.KindImage, renderImage)
	r.Register(tables.KindTable, renderTable)
	r.Register(ast.KindHTMLBlock, renderNothing)
}

// renderHeading adds a link to itself.
func renderHeading(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Heading)
	level := string(rune('0' + n.Level))
	id, _ := n.AttributeString("id")
	name, _ := id.([]byte)
	switch {
	case entering:
		_, _ = w.WriteString("<h" + level + ` id="` + html.EscapeString(string(name)) + `">`)
	case n.Level > 1:
		_, _ = w.WriteString(` <a class="here" href="#` + html.EscapeString(string(name)) + `" aria-label="Link to this section">#</a></h` + level + ">\n")
	default:
		_, _ = w.WriteString("</h" + level + ">\n")
	}
	return ast.WalkContinue, nil
}

// renderCode distinguishes what is typed from what is printed. A fence may name the file that it
// is, after the language.
func renderCode(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	file := ""
	if fenced, ok := node.(*ast.FencedCodeBlock); ok && fenced.Info != nil {
		_, file, _ = strings.Cut(string(fenced.Info.Value(source)), " ")
	}
	text := string(node.Lines().Value(source))
	session := strings.HasPrefix(text, "$ ") || strings.Contains(text, "\n$ ")
	_, _ = w.WriteString(`<div class="code">`)
	if file != "" {
		_, _ = w.WriteString(`<p class="file">` + html.EscapeString(file) + "</p>")
	}
	_, _ = w.WriteString("<pre><code>")
	continues := false
	for line := range strings.Lines(text) {
		escaped := html.EscapeString(strings.TrimSuffix(line, "\n"))
		typed, isTyped := strings.CutPrefix(escaped, "$ ")
		switch {
		case session && isTyped:
			escaped = `<span class="prompt">$ </span><b>` + typed + "</b>"
		case session && continues:
			escaped = "<b>" + escaped + "</b>"
		}
		continues = (isTyped || continues) && strings.HasSuffix(line, "\\\n")
		_, _ = w.WriteString(escaped + "\n")
	}
	_, _ = w.WriteString("</code></pre></div>\n")
	return ast.WalkSkipChildren, nil
}

// renderImage has a picture scroll where it would be too small to be read.
func renderImage(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Image)
	class := "picture"
	if bytes.Contains(n.Destination, []byte("terminal-")) {
		class = "picture wide"
	}
	p := page{text: source}
	_, _ = w.WriteString(`<span class="` + class + `"><img src="` + html.EscapeString(string(n.Destination)) + `" alt="` + html.EscapeString(p.plain(n)) + `"></span>`)
	return ast.WalkSkipChildren, nil
}

// renderNothing leaves out what is for machines: comments.
func renderNothing(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) {
	return ast.WalkSkipChildren, nil
}

// renderTable has a table scroll in a box of its own.
func renderTable(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<div class="table"><table>` + "\n")
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}
