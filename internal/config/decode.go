package config

import (
	"fmt"
	"slices"
	"strings"

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
	// made is how a table came to be; only readTree looks at it.
	made made
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

type table map[string]*node

// at returns the value of a key, or none.
func (t table) at(key string) node {
	if n := t[key]; n != nil {
		return *n
	}
	return node{}
}

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

// addAny adds any document.
func (d *document) addAny(data []byte) error {
	root, err := readTree(d.path, data)
	if err != nil {
		return err
	}
	b := newBuilder(d, len(root.at("profiles").table))
	for _, key := range root.keys() {
		if n := root.at(key); n.shape != shapeTable || !slices.Contains(groups, key) {
			if err := b.add(key, n); err != nil {
				return err
			}
		}
	}
	b.end(section{})
	for _, key := range groups {
		tables := root.at(key).table
		if tables != nil && key == "providers" && d.kind == KindProjectFile {
			return d.foreignProviders(root.at(key).line)
		}
		for _, name := range tables.keys() {
			n := tables.at(name)
			if n.shape != shapeTable {
				return d.errorf(n.line, "write ["+key+".NAME]", "has %s.%s, which is not a table", key, shown(name))
			}
			if err := b.begin(key, name, n.line); err != nil {
				return err
			}
			for _, own := range n.table.keys() {
				if err := b.add(own, n.table.at(own)); err != nil {
					return err
				}
			}
			b.end(section{line: n.line, table: n.table})
		}
	}
	return nil
}

func fileError(file string, line int, message, hint string) error {
	where := file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", file, line)
	}
	return &provider.Error{Kind: provider.ErrConfig, Message: "configuration " + where + " " + message, Hint: hint}
}
