package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// compiledModule is the one whose library came compiled: no list of Go's has what is in it.
const compiledModule = "github.com/tursodatabase/go-libsql"

// writeContents writes the list of what is in zen as CycloneDX: the Go modules, and what
// the library of go-libsql tells of itself, with the note that it doesn't tell all.
func (r *release) writeContents(ctx context.Context, path string) error {
	stage, err := os.MkdirTemp("", "zen-contents-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	modules := filepath.Join(stage, "modules.json")
	// The tool notes its own sum: built with -trimpath, that is one everywhere.
	_, err = run(ctx, append(os.Environ(), "GOFLAGS=-trimpath"), "go", "tool", "-modfile="+tools+"/go.mod", "cyclonedx-gomod", "mod",
		"-json", "-short-purls", "-std", "-licenses", "-noserial", "-notimestamp", "-output", modules)
	if err != nil {
		return err
	}
	list, err := os.ReadFile(modules)
	if err != nil {
		return err
	}
	dir, err := run(ctx, append(os.Environ(), "GOFLAGS="), "go", "list", "-m", "-f", "{{.Dir}}", compiledModule)
	if err != nil {
		return err
	}
	parts, err := partsOf(dir)
	if err != nil {
		return err
	}
	if list, err = withParts(list, compiledModule, parts); err != nil {
		return err
	}
	return os.WriteFile(path, list, 0o644)
}

// part is something that was compiled into a library.
type part struct{ name, version, purl string }

// What the library of libSQL says of itself: its version stands before the name that it
// has towards servers, SQLite's is a string of its own, and Rust notes the compiler and,
// for its messages, the files of crates.
var (
	saysLibSQL = regexp.MustCompile(`(\d+\.\d+\.\d+)libsql-remote-`)
	saysSQLite = regexp.MustCompile(`\x00(3\.\d+\.\d+)\x00`)
	saysRust   = regexp.MustCompile(`rustc version (\d+\.\d+\.\d+)`)
	saysCrate  = regexp.MustCompile(`/registry/src/[^/\x00]+/([A-Za-z0-9_-]+?)-(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)/`)
)

// partsOf reads the libraries for Linux of the module in dir, the ones that are released.
func partsOf(dir string) ([]part, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "lib", "linux_*", "*.a"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s has no library for Linux", dir)
	}
	var parts []part
	for _, path := range paths {
		library, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		told, err := partsIn(library)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		parts = append(parts, told...)
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.purl, b.purl) })
	return slices.Compact(parts), nil
}

// partsIn returns what one library tells.
func partsIn(library []byte) (parts []part, err error) {
	for _, one := range []struct {
		says       *regexp.Regexp
		name, kind string
	}{{saysLibSQL, "libsql", "cargo"}, {saysSQLite, "sqlite", "generic"}, {saysRust, "rust", "generic"}} {
		found := saysVersion(one.says, library)
		if len(found) != 1 {
			err = errors.Join(err, fmt.Errorf("the library names %d versions of %s, not one", len(found), one.name))
			continue
		}
		parts = append(parts, part{one.name, found[0], "pkg:" + one.kind + "/" + one.name + "@" + found[0]})
	}
	for _, match := range saysCrate.FindAllSubmatch(library, -1) {
		name, version := string(match[1]), string(match[2])
		parts = append(parts, part{name, version, "pkg:cargo/" + name + "@" + version})
	}
	return parts, err
}

func saysVersion(says *regexp.Regexp, library []byte) (versions []string) {
	for _, match := range says.FindAllSubmatch(library, -1) {
		versions = append(versions, string(match[1]))
	}
	slices.Sort(versions)
	return slices.Compact(versions)
}

// withParts puts parts into the component called name of a list, and says that they are
// not all.
func withParts(list []byte, name string, parts []part) ([]byte, error) {
	var all map[string]any
	numbers := json.NewDecoder(bytes.NewReader(list))
	numbers.UseNumber()
	if err := numbers.Decode(&all); err != nil {
		return nil, fmt.Errorf("the list of modules: %w", err)
	}
	components, _ := all["components"].([]any)
	for _, c := range components {
		component, _ := c.(map[string]any)
		ref, _ := component["bom-ref"].(string)
		if component["name"] != name || ref == "" {
			continue
		}
		var within []any
		for _, p := range parts {
			within = append(within, map[string]any{
				"type": "library", "name": p.name, "version": p.version, "purl": p.purl, "bom-ref": ref + "#" + p.purl,
				"evidence": map[string]any{"identity": []any{map[string]any{
					"field": "purl", "methods": []any{map[string]any{"technique": "binary-analysis", "confidence": 1}},
				}}},
			})
		}
		component["components"] = within
		all["compositions"] = []any{map[string]any{"aggregate": "incomplete", "assemblies": []string{ref}}}
		return json.MarshalIndent(all, "", "  ")
	}
	return nil, fmt.Errorf("the list of modules has no %s", name)
}
