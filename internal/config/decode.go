package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/zen-auth/zen/core/provider"
)

// Bounds of configuration files, in bytes. A large real one has some KiB. Every command
// reads both: 1 MiB is 17,000 profiles with a database each. A project's file is foreign,
// and has a profile or two.
const (
	maxUserFile    = 1 << 20
	maxProjectFile = 256 << 10
)

func (k Kind) maxFile() int {
	if k == KindProjectFile {
		return maxProjectFile
	}
	return maxUserFile
}

// node is a TOML value and the line where its key is.
type node struct {
	shape shape
	// text is that of a string, and a boolean or an integer as strconv formats it.
	text  string
	list  []string
	table table
	line  int
}

// shape is the shape of a value.
type shape byte

// The shapes. shapeList is a list of strings, shapeMixed one of other values, and shapeOther a
// float or a date, which no key takes.
const (
	shapeOther shape = iota
	shapeText
	shapeBool
	shapeInt
	shapeList
	shapeMixed
	shapeTable
)

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

// addAny adds any document. go-toml gives positions for errors alone: the lines of the keys
// are found in a walk over its AST.
func (d *document) addAny(data []byte) error {
	var decoded map[string]any
	if err := toml.Unmarshal(data, &decoded); err != nil {
		return syntaxError(d.path, err)
	}
	root := build(decoded, linesOf(data), "")
	b := newBuilder(d, len(root["profiles"].table))
	for _, key := range root.keys() {
		if n := root[key]; n.shape != shapeTable || !slices.Contains(groups, key) {
			if err := b.add(key, n); err != nil {
				return err
			}
		}
	}
	b.end(section{})
	for _, key := range groups {
		tables := root[key].table
		if tables != nil && key == "providers" && d.kind == KindProjectFile {
			return d.foreignProviders(root[key].line)
		}
		for _, name := range tables.keys() {
			n := tables[name]
			if n.shape != shapeTable {
				return d.errorf(n.line, "write ["+key+".NAME]", "has %s.%s, which is not a table", key, shown(name))
			}
			if err := b.begin(key, name, n.line); err != nil {
				return err
			}
			for _, own := range n.table.keys() {
				if err := b.add(own, n.table[own]); err != nil {
					return err
				}
			}
			b.end(section{line: n.line, table: n.table})
		}
	}
	return nil
}

// syntaxError drops everything that could repeat the text of the file, which may
// be a secret that was put there: DecodeError.String, and what follows a
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
		n := node{line: lines[path]}
		switch value := value.(type) {
		case string:
			n.shape, n.text = shapeText, value
		case bool:
			n.shape, n.text = shapeBool, strconv.FormatBool(value)
		case int64:
			n.shape, n.text = shapeInt, strconv.FormatInt(value, 10)
		case map[string]any:
			n.shape, n.table = shapeTable, build(value, lines, path)
		case []any:
			n.shape = shapeList
			for _, item := range value {
				text, ok := item.(string)
				if !ok {
					n.shape, n.list = shapeMixed, nil
					break
				}
				n.list = append(n.list, text)
			}
		}
		t[key] = n
	}
	return t
}
