package config

import (
	"bytes"
	"maps"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// walk finds the lines of the keys, and the sections, of a document up to its first
// syntax error.
func walk(data []byte) *walker {
	w := &walker{data: data, line: 1, lines: make(map[string]int, 16), regular: true}
	w.parser.Reset(data)
	prefix := ""
	for w.parser.NextExpression() {
		switch e := w.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			prefix = w.section(e)
		case unstable.KeyValue:
			w.keyValue(prefix, e)
		}
	}
	return w
}

type walker struct {
	parser unstable.Parser
	data   []byte
	offset int // up to which newlines are counted
	line   int
	// lines are the lines of the first mention of every key.
	lines map[string]int
	// sections are the places at which tables begin. They are regular if each is a different
	// [key.name].
	sections []section
	regular  bool
}

// section is a table's header and what follows up to the next one.
type section struct {
	from      int // the offset of the header's line
	key, name string
}

// section notes a header. It returns the path of its key.
func (w *walker) section(e *unstable.Node) (path string) {
	s, parts := section{}, 0
	for key := e.Key(); key.Next(); parts++ {
		switch part := key.Node(); parts {
		case 0:
			s.from = bytes.LastIndexByte(w.data[:part.Raw.Offset], '\n') + 1
			s.key = string(part.Data)
		case 1:
			s.name = string(part.Data)
		}
	}
	path = separator + s.key + separator + s.name
	_, seen := w.lines[path]
	w.regular = w.regular && e.Kind == unstable.Table && parts == 2 && !seen
	w.sections = append(w.sections, s)
	return w.key("", e.Key())
}

// unmarshalSections decodes the sections of a document one by one, which is the same as
// to decode the whole where each is a table [key.name] of its own, and where what is
// above them has none of these keys. ok is false if the document isn't like that, or has
// an error. To find out whether a table was there before, go-toml compares it with all
// that were: 4,000 profiles would take it 30 ms, and 16,000 half a second.
func (w *walker) unmarshalSections() (root map[string]any, ok bool) {
	if !w.regular || len(w.sections) == 0 || w.parser.Error() != nil {
		return nil, false
	}
	if toml.Unmarshal(w.data[:w.sections[0].from], &root) != nil {
		return nil, false
	}
	above := maps.Clone(root)
	if root == nil {
		root = map[string]any{}
	}
	for i, s := range w.sections {
		to := len(w.data)
		if i+1 < len(w.sections) {
			to = w.sections[i+1].from
		}
		var part map[string]map[string]any
		if _, known := above[s.key]; known || toml.Unmarshal(w.data[s.from:to], &part) != nil {
			return nil, false
		}
		tables, _ := root[s.key].(map[string]any)
		if tables == nil {
			tables = map[string]any{}
			root[s.key] = tables
		}
		tables[s.name] = part[s.key][s.name]
	}
	return root, true
}

func (w *walker) key(path string, parts unstable.Iterator) string {
	for parts.Next() {
		part := parts.Node()
		if at := int(part.Raw.Offset); at > w.offset {
			w.line += bytes.Count(w.data[w.offset:at], []byte("\n"))
			w.offset = at
		}
		path += separator + string(part.Data)
		if _, seen := w.lines[path]; !seen {
			w.lines[path] = w.line
		}
	}
	return path
}

func (w *walker) keyValue(section string, e *unstable.Node) {
	path := w.key(section, e.Key())
	if value := e.Value(); value.Kind == unstable.InlineTable {
		for children := value.Children(); children.Next(); {
			w.keyValue(path, children.Node())
		}
	}
}
