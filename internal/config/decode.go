package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/zen-auth/zen/core/provider"
)

// maxFile bounds a configuration file. A large real one has some KiB.
const maxFile = 256 << 10

// node is a TOML value and the line where its key is. The value is a table or what
// toml.Unmarshal makes of anything else.
type node struct {
	value any
	line  int
}

type table map[string]node

// keys returns the keys in the order of the file, so that the first mistake in it
// is the one that is reported.
func (t table) keys() []string {
	keys := make([]string, 0, len(t))
	for key := range t {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if d := t[a].line - t[b].line; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return keys
}

// decode parses a file. go-toml tells positions for errors alone: a second walk
// over its AST, which is quick, finds the line of each key.
func decode(file string, data []byte) (table, error) {
	if len(data) > maxFile {
		return nil, fileError(file, 0, fmt.Sprintf("is larger than %d KiB", maxFile>>10), "")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // Windows editors write one
	var root map[string]any
	if err := toml.Unmarshal(data, &root); err != nil {
		return nil, syntaxError(file, err)
	}
	return build(root, positions(data), ""), nil
}

// syntaxError drops everything that could repeat the text of the file, which may
// be a secret that somebody put there: DecodeError.String, and what follows a
// second colon (strconv's errors quote their input).
func syntaxError(file string, err error) error {
	message := strings.TrimPrefix(err.Error(), "toml: ")
	message, _, _ = strings.Cut(message, ": ")
	line := 0
	var decodeError *toml.DecodeError
	if errors.As(err, &decodeError) {
		line, _ = decodeError.Position()
	}
	return fileError(file, line, "is not valid TOML: "+message, "strings are quoted: key = \"value\"")
}

func fileError(file string, line int, message, hint string) error {
	where := file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", file, line)
	}
	return &provider.Error{Kind: provider.ErrConfig, Message: "configuration " + where + " " + message, Hint: hint}
}

// separator joins the parts of a key. TOML allows no NUL, not even escaped in a
// bare key; one in a quoted key can at worst give a wrong line number.
const separator = "\x00"

func build(values map[string]any, lines map[string]int, prefix string) table {
	t := make(table, len(values))
	for key, value := range values {
		path := prefix + separator + key
		if sub, ok := value.(map[string]any); ok {
			value = build(sub, lines, path)
		}
		t[key] = node{value: value, line: lines[path]}
	}
	return t
}

// positions returns the line of the first mention of every key of a valid document.
func positions(data []byte) map[string]int {
	w := walker{data: data, line: 1, lines: make(map[string]int, 16)}
	w.parser.Reset(data)
	section := ""
	for w.parser.NextExpression() {
		switch e := w.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			section = w.key("", e.Key())
		case unstable.KeyValue:
			w.keyValue(section, e)
		}
	}
	return w.lines
}

type walker struct {
	parser unstable.Parser
	data   []byte
	offset int // up to which newlines are counted
	line   int
	lines  map[string]int
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
