package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/private"
)

// Change is one key of the user file to be set, or removed.
type Change struct {
	// Key is default_profile, audit, profiles.NAME.KEY or providers.NAME.KEY.
	Key string
	// Value is text, or a number, true, false or a list of texts in TOML's form for the
	// keys that take them. Of a key that is removed it isn't looked at.
	Value  string
	Remove bool
}

// Apply changes the user file, which is made if there is none, and returns what is in
// it then. Comments and order are the user's, and stay. The file is checked before it is
// replaced as a whole; with dry nothing is written. What it said before is returned, too.
func (c *Config) Apply(changes []Change, dry bool) (before, after []byte, err error) {
	path := c.Paths.ConfigFile
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	before, err = readFile(KindUserFile, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	after = before
	for _, ch := range changes {
		table, key, err := splitKey(ch.Key)
		if err != nil {
			return before, nil, err
		}
		if after, err = edit(after, table, key, ch); err != nil {
			return before, nil, fmt.Errorf("set %s: %w", ch.Key, err)
		}
	}
	d, err := parseDocument(KindUserFile, path, after)
	if err != nil {
		return before, nil, err
	}
	for _, ch := range changes {
		if ch.Key == "default_profile" && !ch.Remove && d.defaultProfile.Value != ch.Value {
			return before, nil, writeError(path, errors.New("the edited file would not say what it should"))
		}
	}
	if dry || bytes.Equal(before, after) {
		return before, after, nil
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return before, nil, writeError(path, err)
	}
	if err := private.Replace(path, after, mode); err != nil {
		return before, nil, writeError(path, err)
	}
	return before, after, nil
}

// SetDefaultProfile writes default_profile into the user file, as Apply does.
func (c *Config) SetDefaultProfile(name string) error {
	_, _, err := c.Apply([]Change{{Key: "default_profile", Value: name}}, false)
	return err
}

func writeError(path string, err error) error {
	return &provider.Error{
		Kind: provider.ErrConfig, Err: err, Message: fmt.Sprintf("write configuration %s: %v", path, err),
		Hint: "write it into the file by hand: zen config edit opens it",
	}
}

// splitKey takes a key apart: the path of its table, and its name.
func splitKey(dotted string) (table []string, key string, err error) {
	parts := strings.Split(dotted, ".")
	wrong := &provider.Error{
		Kind: provider.ErrConfig, Message: shown(dotted) + " is no key of the configuration",
		Hint: "keys are default_profile, audit, profiles.NAME.KEY and providers.NAME.KEY",
	}
	switch {
	case len(parts) == 1 && (dotted == "default_profile" || dotted == "audit"):
		return nil, dotted, nil
	case len(parts) != 3 || slices.Contains(parts, ""):
		return nil, "", wrong
	case parts[0] == "profiles" && names.IsProfile(parts[1]), parts[0] == "providers" && names.IsProvider(parts[1]):
		return parts[:2], parts[2], nil
	}
	return nil, "", wrong
}

// listKeys are the keys of a profile that hold a list.
var listKeys = []string{"fallback", "permissions"}

// tomlValue returns a value as TOML has it.
func tomlValue(table []string, key, value string) string {
	if slices.Contains(listKeys, key) && len(table) > 0 && table[0] == "profiles" {
		if strings.HasPrefix(value, "[") {
			return value
		}
		var quoted []string
		for item := range strings.SplitSeq(value, ",") {
			quoted = append(quoted, strconv.Quote(strings.TrimSpace(item)))
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	truth := value == "true" || value == "false"
	if len(table) == 0 && key == "audit" && truth {
		return value
	}
	if len(table) > 0 && table[0] == "providers" {
		if _, err := strconv.ParseInt(value, 10, 64); err == nil || truth {
			return value
		}
	}
	return strconv.Quote(value)
}

// edit changes one key, and leaves what is around it byte for byte, the byte-order mark
// and the line ends of Windows editors among it.
func edit(data []byte, table []string, key string, ch Change) ([]byte, error) {
	const byteOrderMark = "\xef\xbb\xbf"
	data, marked := bytes.CutPrefix(data, []byte(byteOrderMark))
	edited, err := editUnmarked(data, table, key, ch)
	if err == nil && marked {
		edited = append([]byte(byteOrderMark), edited...)
	}
	return edited, err
}

func editUnmarked(data []byte, table []string, key string, ch Change) ([]byte, error) {
	if strings.ContainsFunc(ch.Value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "the value has a control character"}
	}
	value := []byte(tomlValue(table, key, ch.Value))
	var parser unstable.Parser
	parser.Reset(data)
	here := len(table) == 0
	insert := -1 // behind the table's header, or its last key
	for parser.NextExpression() {
		e := parser.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			var path []string
			var last int
			for it := e.Key(); it.Next(); {
				path = append(path, string(it.Node().Data))
				last = int(it.Node().Raw.Offset) + int(it.Node().Raw.Length)
			}
			if here = len(table) > 0 && slices.Equal(path, table); here {
				insert = lineEnd(data, last)
			}
		case unstable.KeyValue:
			if !here {
				continue
			}
			it := e.Key()
			if !it.Next() {
				continue
			}
			name, from := string(it.Node().Data), int(it.Node().Raw.Offset)
			more := it.Next()
			to := int(e.Value().Raw.Offset) + int(e.Value().Raw.Length)
			if e.Value().Kind == unstable.Array || e.Value().Kind == unstable.InlineTable || to == from {
				to = 0
			}
			if name != key || more {
				if to > 0 {
					insert = lineEnd(data, to)
				}
				continue
			}
			if to == 0 {
				return nil, &provider.Error{Kind: provider.ErrConfig, Message: "it is a list in the file", Hint: "zen config edit opens the file"}
			}
			if ch.Remove {
				return append(slices.Clone(data[:lineStart(data, from)]), data[lineEnd(data, to):]...), nil
			}
			start := int(e.Value().Raw.Offset)
			return bytes.Join([][]byte{data[:start], value, data[to:]}, nil), nil
		}
	}
	if err := parser.Error(); err != nil {
		return nil, err
	}
	if ch.Remove {
		return data, nil
	}
	end := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		end = "\r\n"
	}
	line := []byte(key + " = " + string(value) + end)
	switch {
	case insert >= 0:
		if insert > 0 && data[insert-1] != '\n' {
			line = append([]byte(end), line...)
		}
		return bytes.Join([][]byte{data[:insert], line, data[insert:]}, nil), nil
	case len(table) == 0:
		if len(data) > 0 && !bytes.HasPrefix(data, []byte(end)) {
			line = append(line, end...)
		}
		return append(line, data...), nil
	}
	if root, err := readTree("", data); err == nil && root.takesNo(table) {
		name := strings.Join(table, ".")
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "[" + name + "] can't be added to the file, which has " + table[0] + " in another form", Hint: "zen config edit opens the file"}
	}
	out := slices.Clone(data)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, end...)
	}
	if len(out) > 0 {
		out = append(out, end...)
	}
	return append(out, "["+strings.Join(table, ".")+"]"+end+string(line)...), nil
}

// lineEnd returns the offset behind the line that i is in, lineStart that of its beginning.
func lineEnd(data []byte, i int) int {
	if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(data)
}

func lineStart(data []byte, i int) int { return bytes.LastIndexByte(data[:i], '\n') + 1 }
