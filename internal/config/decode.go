package config

import (
	"errors"
	"fmt"
	"slices"
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

// decode splits any document into its sections. go-toml gives positions for errors alone:
// the lines of the keys are found in a walk over its AST.
func decode(file string, data []byte) ([]section, error) {
	var values map[string]any
	if err := toml.Unmarshal(data, &values); err != nil {
		return nil, syntaxError(file, err)
	}
	root := build(values, linesOf(data), "")
	top := table{}
	sections := []section{{table: top}}
	for _, key := range root.keys() {
		tables, ok := root[key].value.(table)
		if !ok || key != "profiles" && key != "providers" {
			top[key] = root[key]
			continue
		}
		for _, name := range tables.keys() {
			n := tables[name]
			t, ok := n.value.(table)
			if !ok {
				return nil, fileError(file, n.line, fmt.Sprintf("has %s.%s, which is not a table", key, shown(name)), "write ["+key+".NAME]")
			}
			sections = append(sections, section{key: key, name: name, line: n.line, table: t})
		}
	}
	return sections, nil
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
		if sub, ok := value.(map[string]any); ok {
			value = build(sub, lines, path)
		}
		t[key] = node{value: value, line: lines[path]}
	}
	return t
}
