package config

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/zen-auth/zen/core/provider"
)

// treeDocuments have what decides whether a table or key may come again.
var treeDocuments = []string{
	"[profiles.a]\n[profiles.a]\n", "[profiles.a]\n[profiles.\"a\"]\n", "[profiles.a]\n[profiles]\n[profiles]\n", "[profiles.a]\n[profiles]\na.access = 'ro'\n", "profiles.a.access = 'ro'\n[profiles.a]\n",
	"profiles.a.access = 'ro'\n[profiles]\n", "profiles.a = {access = 'ro'}\n[profiles.b]\naccess = 'ro'\n", "profiles.a = {access = 'ro', access = 'rw'}\n", "profiles = {a.access = 'ro', a.provider = 'x'}\n",
	"profiles = {a.access = 'ro'}\n[profiles.b]\n", "profiles = {a = {}}\nprofiles.b = {}\n", "[[profiles]]\n[profiles.a]\naccess = 'ro'\n[[profiles]]\n[profiles.a]\n", "[profiles.a]\n[[profiles]]\n", "[[profiles.a]]\n[[profiles.a]]\n[profiles.a]\n",
	"[profiles]\na.access = 'ro'\na.access.x = 1\n", "[profiles.a.access]\n[profiles.a]\naccess = 'ro'\n", "[profiles.a]\naccess.x = 1\naccess.y = 2\naccess.x = 3\n", "[providers.a]\nb = 0x10\nc = -0\nd = +1_000\ne = 0b1\nf = 0o17\n",
	"[providers.a]\nb = 0xFFFFFFFFFFFFFFFF\n", "[providers.a]\nb = -9223372036854775808\n", "[providers.a]\nb = 1979-13-40\n", "audit = true\n[audit.x]\n", "audit = true\naudit.x = 1\n", "[providers.a]\nb = ['x', {c = 1, c = 2}]\n", "[x.y.z.a.b]\n[x.y.z.a.b]\n",
}

// sameTree reports whether a tree says what go-toml decoded, down to the last level.
func sameTree(t table, values map[string]any, depth int) bool {
	if len(t) != len(values) {
		return false
	}
	for key, value := range values {
		n, ok := t[key]
		if !ok || n.line < 1 {
			return false
		}
		switch value := value.(type) {
		case string:
			ok = n.shape == shapeText && n.text == value
		case bool, int64:
			shape := map[bool]shape{true: shapeBool, false: shapeInt}[reflect.TypeOf(value).Kind() == reflect.Bool]
			ok = n.shape == shape && n.text == fmt.Sprint(value)
		case map[string]any:
			ok = n.shape == shapeTable && (depth == maxTree || sameTree(n.table, value, depth+1))
		case []any:
			texts := []string{}
			for _, item := range value {
				if text, isText := item.(string); isText {
					texts = append(texts, text)
				}
			}
			ok = n.shape == shapeMixed && len(texts) < len(value) || n.shape == shapeList && slices.Equal(n.list, texts)
		default:
			ok = n.shape == shapeOther
		}
		if !ok {
			return false
		}
	}
	return true
}

// FuzzTree compares the tree of a document with what go-toml decodes. What go-toml refuses is
// refused: as a tree or, where that doesn't look further, for the key above.
func FuzzTree(f *testing.F) {
	for _, text := range slices.Concat(plainDocuments, otherDocuments, treeDocuments) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var values map[string]any
		wantErr := toml.Unmarshal(data, &values)
		root, err := readTree("f", data)
		if wantErr == nil && (err != nil || !sameTree(root, values, 1)) {
			t.Fatalf("%q: %v, %v, want %v", data, root, err, values)
		}
		if wantErr == nil {
			return
		}
		for _, kind := range []Kind{KindUserFile, KindProjectFile} {
			if _, err := parseDocument(kind, "f", data); err == nil && !strings.HasPrefix(string(data), "\xef\xbb\xbf") {
				t.Fatalf("%q was read as a %s, and is refused: %v", data, kind, wantErr)
			}
		}
	})
}

// What an unusual document costs is in proportion to its size: a foreign project may have one.
func TestUnusualDocumentsCostWhatTheirSizeDoes(t *testing.T) {
	many := func(n int, line string) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, line, i)
		}
		return text.String()
	}
	for name, document := range map[string]func(n int) string{
		"a key of many parts":    func(n int) string { return strings.Repeat("a.", n) + "a = 1\n" },
		"a header of many parts": func(n int) string { return "[" + strings.Repeat("a.", n) + "a]\n" },
		"nested tables": func(n int) string {
			return strings.Repeat("a={", min(n, 9000)) + strings.Repeat("}", min(n, 9000)) + "\n"
		},
		"profiles with an inline table": func(n int) string { return many(n, "[profiles.p%d]\naccess = 'ro'\n") + "[profiles]\nq = {}\n" },
		"profiles of dotted keys":       func(n int) string { return many(n, "profiles.p%d.access = 'ro'\n") },
	} {
		cost := func(n int) uint64 {
			data := []byte(document(n))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = parseDocument(KindUserFile, "/c.toml", data)
			runtime.ReadMemStats(&after)
			return (after.TotalAlloc - before.TotalAlloc) / uint64(len(data))
		}
		if few, many := cost(1000), cost(16000); many > 4*few+64 {
			t.Errorf("%s: a byte of a small document takes %d bytes, one of a large %d", name, few, many)
		}
	}
}

// A hint fits its error.
func TestSyntaxHints(t *testing.T) {
	for want, texts := range map[string][]string{
		"# comment":   {"profiles\n", "[profiles.a]\naccess: 'ro'\n", "{\"profiles\": {}}\n", "; mine\n", "[]\n", "[profiles.]\n", " = 1\n", "export A=b\n", "<<<<<<< HEAD\n"},
		"are quoted":  {"a = b\n", "a =\n", "a = 90s\n", "a = [b]\n", "a = True\n", "a = tru\n", "a = x://y\n", "a = "},
		"quotes are":  {"a = “b”\n", "a = 'b'\nc = ‘d’\n"},
		"in its line": {"a = \"b\n", "a = 'b\nc = 'd'\n"},
		"begins with": {"a = \"b", "a = \"\"\"b\n\n", "a = '''b''\n"},
		"backslash":   {`a = "C:\Users\me"`, `a = "\d"`, "a = \"\"\"\\"},
		"no spaces":   {"[profiles.my work]\n", "[profiles.a\n", "[[a]\n"},
		"begins with #": {
			"[profiles.a] access = 'ro'\n", "a = 'b' // c\n", "a = 'b';\n", "a = 1, 2\n", "[profiles.a]]\n",
		},
		"a list is":   {"a = ['b'\nc = 1\n", "a = ['b' 'c']\n", "a = ['b'"},
		"line feed":   {"a = 1\rb = 2\r", "# a\r# b\r"},
		"as UTF-8":    {"# caf\xe9\n", "a = \"\xff\"\n", "a = '\xff'\n"},
		"a line for":  {"a = {b = 1", "a = {,}", "a = {b = 1 c = 2}"},
		"keep one of": {"a = 1\na = 2\n"},
	} {
		for _, text := range texts {
			_, err := readTree("f", []byte(text))
			if got := provider.Hint(err); !strings.Contains(got, want) {
				t.Errorf("%q: %v, hint %q, want %q", text, err, got, want)
			}
		}
	}
}
