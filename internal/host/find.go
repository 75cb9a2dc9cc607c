package host

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/names"
)

// Found is a provider's binary.
type Found struct {
	// Name is the NAME in zen-provider-NAME.
	Name string
	// Path is the binary, absolute and without symbolic links.
	Path string
	// Err says why it may not run; nil if it may.
	Err error
}

// find returns the binary of name in the first of dirs that has one. A binary that
// may not run is an error, and no reason to look further.
func find(dirs []string, name string) (string, error) {
	if !names.IsProvider(name) {
		return "", &handshake.NameError{Name: name}
	}
	for _, dir := range dirs {
		path, err := resolve(name, dir)
		if !errors.Is(err, fs.ErrNotExist) {
			return path, err
		}
	}
	missing := &NotFoundError{Name: name, Dirs: dirs}
	for _, found := range list(dirs) {
		missing.Available = append(missing.Available, found.Name)
	}
	return "", missing
}

// list returns the binaries in dirs by name. Of two with one name the first counts,
// as in find.
func list(dirs []string) []Found {
	var all []Found
	for _, dir := range dirs {
		// A directory that isn't there has no providers.
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			name, ok := handshake.ProviderName(entry.Name())
			if !ok || slices.ContainsFunc(all, func(f Found) bool { return f.Name == name }) {
				continue
			}
			path, err := resolve(name, dir)
			all = append(all, Found{Name: name, Path: path, Err: err})
		}
	}
	slices.SortFunc(all, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// List returns the binaries in one directory, by name. It starts none.
func List(dir string) []Found { return list([]string{dir}) }

// resolve returns the path of name's binary in dir, if it may run.
func resolve(name, dir string) (string, error) {
	return resolveFile(name, filepath.Join(dir, handshake.BinaryName(name)))
}

// resolveFile returns what path leads to, if that may run as name.
func resolveFile(name, path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", &UnsafeError{Name: name, Path: path, Reason: "its path is unknown: " + err.Error()}
	}
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fs.ErrNotExist
	}
	if err != nil {
		return path, &UnsafeError{Name: name, Path: path, Reason: "it can't be read"}
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return resolved, &UnsafeError{Name: name, Path: resolved, Reason: "it can't be read"}
	}
	reason := cmp.Or(unsafe(info), unsafeDir(filepath.Dir(resolved)))
	if reason != "" {
		return resolved, &UnsafeError{Name: name, Path: resolved, Reason: reason}
	}
	return resolved, nil
}
