package config

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxTree is how deep a configuration goes: profiles, NAME, KEY. What is deeper is checked for
// its form alone, as the key above it takes no table. A foreign file may have a key of 100,000
// parts.
const maxTree = 3

// made says how a table came to be, which decides what may add to it.
type made byte

const (
	madeWhole  made = iota // it is a value, which nothing adds to
	madeAbove              // by the header of a table below it: its own header may follow
	madeHeader             // by its own header
	madeDotted             // by dotted keys: others may add to it
	madeList               // by a header [[...]], which may follow again
)

// treeReader reads any document. go-toml's parser says what the expressions are, and its lines
// are counted here. go-toml's decoder compares each key with all before it: with 15,000
// profiles it took a second.
type treeReader struct {
	path   string
	parser unstable.Parser
	// line is that of offset, which only grows.
	offset, line int
}

// readTree reads a document as tables of maxTree levels.
func readTree(path string, data []byte) (table, error) {
	r := treeReader{path: path, line: 1}
	r.parser.Reset(data)
	root := newTable(0, madeWhole)
	to, depth := root, 0
	for r.parser.NextExpression() {
		var err error
		if e := r.parser.Expression(); e.Kind == unstable.KeyValue {
			err = r.keyValue(to, depth, e)
		} else {
			to, depth, err = r.header(root, e)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := r.parser.Error(); err != nil {
		return nil, r.syntaxError(err)
	}
	return root.table, nil
}

func newTable(line int, made made) *node {
	return &node{shape: shapeTable, table: table{}, line: line, made: made}
}

// keyPart returns a part of a key, and its line.
func (r *treeReader) keyPart(part *unstable.Node) (name string, line int) {
	return string(part.Data), r.lineAt(int(part.Raw.Offset))
}

func (r *treeReader) lineAt(offset int) int {
	r.line += bytes.Count(r.parser.Data()[r.offset:offset], []byte("\n"))
	r.offset = offset
	return r.line
}

// header reads [a.b] or [[a.b]]. It returns the table that the keys below it are for, nil if
// they need not be known, and how deep that is.
func (r *treeReader) header(root *node, e *unstable.Node) (to *node, depth int, err error) {
	to = root
	for parts := e.Key(); to != nil && parts.Next(); depth++ {
		name, line := r.keyPart(parts.Node())
		child := to.table[name]
		switch known, last := child != nil, parts.IsLast(); {
		case !known && last && e.Kind == unstable.ArrayTable:
			child = &node{shape: shapeMixed, line: line, made: madeList}
		case !known && last:
			child = newTable(line, madeHeader)
		case !known:
			child = newTable(line, madeAbove)
		case last && e.Kind == unstable.ArrayTable && child.made == madeList:
		case last && e.Kind == unstable.Table && child.made == madeAbove:
			child.made = madeHeader
		case last || child.made == madeWhole:
			return nil, 0, r.twice(name, line, child)
		}
		to.table[name] = child
		if to = child; child.shape != shapeTable || depth+1 == maxTree {
			to = nil
		}
	}
	return to, depth, nil
}

// keyValue reads a key and its value into a table of a depth; nil is one that need not be known.
func (r *treeReader) keyValue(to *node, depth int, e *unstable.Node) error {
	for parts := e.Key(); to != nil && parts.Next(); {
		name, line := r.keyPart(parts.Node())
		child := to.table[name]
		depth++
		switch known, last := child != nil, parts.IsLast(); {
		case known && (last || child.made != madeDotted):
			return r.twice(name, line, child)
		case last:
			n, err := r.value(e.Value(), depth, line)
			to.table[name] = n
			return err
		case !known:
			child = newTable(line, madeDotted)
			to.table[name] = child
		}
		if to = child; depth == maxTree {
			to = nil
		}
	}
	return nil
}

// value decodes the value of a key. No key takes a float or a date: of these the form is not
// checked any further.
func (r *treeReader) value(value *unstable.Node, depth, line int) (*node, error) {
	n := &node{line: line}
	switch value.Kind {
	case unstable.String:
		n.shape, n.text = shapeText, string(value.Data)
	case unstable.Bool:
		n.shape, n.text = shapeBool, string(value.Data)
	case unstable.Integer: // well-formed
		number, err := strconv.ParseInt(strings.ReplaceAll(string(value.Data), "_", ""), 0, 64)
		if err != nil {
			return nil, notTOML(r.path, line, "the number is larger than 64 bits", "")
		}
		n.shape, n.text = shapeInt, strconv.FormatInt(number, 10)
	case unstable.Array:
		n.shape = shapeList
		for items := value.Children(); items.Next(); {
			item := items.Node()
			if item.Kind != unstable.String {
				n.shape, n.list = shapeMixed, nil
				break
			}
			n.list = append(n.list, string(item.Data))
		}
	case unstable.InlineTable:
		n = newTable(line, madeWhole)
		for children := value.Children(); depth < maxTree && children.Next(); {
			if err := r.keyValue(n, depth, children.Node()); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// takesNo reports whether no header [group.name] may be added to a document.
func (t table) takesNo(path []string) bool {
	group := t.at(path[0])
	return group.shape == shapeTable && group.made == madeWhole || group.table[path[1]] != nil
}

// twice is the error for a key that the document has already, or has in a way that nothing
// may be added to.
func (r *treeReader) twice(name string, line int, known *node) error {
	return notTOML(r.path, line, fmt.Sprintf("%s is there already, in line %d", shown(name), known.line),
		"keep one of the two, or write all of it in one place")
}

func notTOML(path string, line int, message, hint string) error {
	return fileError(path, line, "is not valid TOML: "+message, hint)
}

// syntaxError is for what the parser doesn't read. Its messages have one character of the file
// at most, as the text may be a secret that was put there.
func (r *treeReader) syntaxError(err error) error {
	message, line := err.Error(), 0
	var syntax *unstable.ParserError
	if errors.As(err, &syntax) {
		data, at := r.parser.Data(), r.parser.Range(syntax.Highlight).Offset
		line = 1 + bytes.Count(data[:at], []byte("\n"))
		if c, _ := utf8.DecodeRune(data[at:]); strings.ContainsRune("“”‘’„«»", c) {
			return notTOML(r.path, line, "it has typographic quotes", "quotes are \" or '")
		}
	}
	for _, h := range syntaxHints {
		if strings.Contains(message, h.message) {
			return notTOML(r.path, line, message, h.hint)
		}
	}
	return notTOML(r.path, line, message, "")
}

// syntaxHints are what to do, by what the messages of the parser have in common. The first one
// that fits is taken.
var syntaxHints = []struct{ message, hint string }{
	{"carriage return", "a line ends with a line feed"},
	{"UTF-8", "save the file as UTF-8"},
	{"escape", `write \\ for a backslash, or put the text into single quotes: 'C:\zen\audit.log'`},
	{"need a character after", `write \\ for a backslash, or put the text into single quotes: 'C:\zen\audit.log'`},
	{"have new lines", "a string ends in its line, with the quote that it begins with"},
	{"terminated", "a string ends with the quotes that it begins with"},
	{"at start of value", "strings are quoted: key = \"value\"; a boolean is true or false"},
	{"expected value", "strings are quoted: key = \"value\""},
	{"strings must be quoted", "strings are quoted: key = \"value\""},
	{"expected keyword", "strings are quoted: key = \"value\"; a boolean is true or false"},
	{"table name", "a table is [profiles.NAME] or [providers.NAME], and a name has no spaces"},
	{"array", "a list is [\"one\", \"two\"]"},
	{"inline table", "write [profiles.NAME], and below it a line for each key"},
	{"after key", "a line is [profiles.NAME], key = \"value\" or # comment"},
	{"start of key", "a line is [profiles.NAME], key = \"value\" or # comment"},
	{"expected key", "a line is [profiles.NAME], key = \"value\" or # comment"},
	{"U+000D", "a line ends with a line feed"},
	{"expected newline", "a line has one table or one key; a comment begins with #"},
}
