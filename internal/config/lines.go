package config

import (
	"bytes"

	"github.com/pelletier/go-toml/v2/unstable"
)

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

// linesOf finds the lines of the first mention of every key of a document, up to its first
// syntax error.
func linesOf(data []byte) map[string]int {
	var parser unstable.Parser
	parser.Reset(data)
	w := walker{lines{data: data, line: 1}, map[string]int{}}
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
