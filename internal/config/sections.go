package config

import (
	"bytes"
	"strconv"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// sections decodes a document in one walk over go-toml's AST, a section at a time: what is
// above the first header, and each table [key.name]. It is the same as to decode the whole
// where each header is another one, and where what is above them has none of their keys.
// ok is false if the document isn't like that, or has an error.
//
// A section of plain values, as nearly all are, is its nodes; go-toml decodes the others. It
// takes as long again, and to find out whether a table was there before, it compares it
// with all that were: 4,000 profiles would take it 30 ms, and 16,000 half a second.
func sections(data []byte) (root table, ok bool) {
	var parser unstable.Parser
	parser.Reset(data)
	r := reader{lines: lines{data: data, line: 1}, root: table{}}
	r.values, r.plain = r.root, true
	for parser.NextExpression() {
		e := parser.Expression()
		if e.Kind == unstable.KeyValue {
			r.keyValue(e)
		} else if !r.header(e) {
			return nil, false
		}
	}
	return r.root, parser.Error() == nil && r.finish(len(data))
}

type reader struct {
	lines
	root table
	// The section that is being read: where it begins, and its header.
	from, fromLine int
	key, name      string
	// values are those of the section. If it isn't plain, go-toml decodes it.
	values table
	plain  bool
	// above are the keys of what is above the first header.
	above table
}

// header ends a section and begins the next one, if that may be decoded by itself.
func (r *reader) header(e *unstable.Node) bool {
	keys := e.Key()
	if e.Kind != unstable.Table || !keys.Next() {
		return false
	}
	first := keys.Node()
	line := r.at(first)
	from := bytes.LastIndexByte(r.data[:first.Raw.Offset], '\n') + 1
	if keys.IsLast() || !r.finish(from) {
		return false
	}
	if r.above == nil {
		r.above = r.root
		r.root = make(table, len(r.above)+2)
		for key, n := range r.above {
			r.root[key] = n
		}
	}
	keys.Next()
	r.from, r.fromLine, r.key, r.name = from, line, string(first.Data), string(keys.Node().Data)
	if _, known := r.above[r.key]; known || !keys.IsLast() {
		return false
	}
	tables, _ := r.root[r.key].value.(table)
	if tables == nil {
		tables = table{}
		r.root[r.key] = node{tables, line}
	}
	if _, known := tables[r.name]; known {
		return false
	}
	r.values, r.plain = table{}, true
	tables[r.name] = node{r.values, r.at(keys.Node())}
	return true
}

// keyValue adds a value to the section, as long as that is plain.
func (r *reader) keyValue(e *unstable.Node) {
	keys := e.Key()
	if !r.plain || !keys.Next() {
		return
	}
	key := string(keys.Node().Data)
	value, plain := plainValue(e.Value())
	if _, known := r.values[key]; known || !plain || !keys.IsLast() {
		r.plain = false
		return
	}
	r.values[key] = node{value, r.at(keys.Node())}
}

// finish decodes the section, which ends at to, if it isn't plain.
func (r *reader) finish(to int) bool {
	if r.plain {
		return true
	}
	part := r.data[r.from:to]
	var values map[string]any
	if toml.Unmarshal(part, &values) != nil {
		return false
	}
	clear(r.values)
	built := build(values, linesOf(part, max(r.fromLine, 1)), "")
	if r.key != "" {
		tables, _ := built[r.key].value.(table)
		built, _ = tables[r.name].value.(table)
	}
	for key, n := range built {
		r.values[key] = n
	}
	return true
}

// plainValue returns what go-toml makes of a string, a boolean, a decimal number, or a list of
// strings.
func plainValue(n *unstable.Node) (value any, plain bool) {
	switch n.Kind {
	case unstable.String:
		return string(n.Data), true
	case unstable.Bool:
		return n.Data[0] == 't', true
	case unstable.Integer:
		number, err := strconv.ParseInt(string(n.Data), 10, 64)
		return number, err == nil
	case unstable.Array:
		list := []any{}
		for items := n.Children(); items.Next(); {
			if items.Node().Kind != unstable.String {
				return nil, false
			}
			list = append(list, string(items.Node().Data))
		}
		return list, true
	}
	return nil, false
}

// lines counts lines up to an offset that only grows.
type lines struct {
	data         []byte
	offset, line int
}

// at returns the line of a part of a key.
func (l *lines) at(part *unstable.Node) int {
	if at := int(part.Raw.Offset); at > l.offset {
		l.line += bytes.Count(l.data[l.offset:at], []byte("\n"))
		l.offset = at
	}
	return l.line
}

// linesOf finds the lines of the first mention of every key of a document that begins on
// the given line, up to its first syntax error.
func linesOf(data []byte, first int) map[string]int {
	var parser unstable.Parser
	parser.Reset(data)
	w := walker{lines{data: data, line: first}, map[string]int{}}
	prefix := ""
	for parser.NextExpression() {
		switch e := parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			prefix = w.key("", e.Key())
		case unstable.KeyValue:
			w.keyValue(prefix, e)
		}
	}
	return w.found
}

type walker struct {
	lines
	found map[string]int
}

func (w *walker) key(path string, parts unstable.Iterator) string {
	for parts.Next() {
		part := parts.Node()
		path += separator + string(part.Data)
		if line := w.at(part); w.found[path] == 0 {
			w.found[path] = line
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
