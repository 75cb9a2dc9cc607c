package config

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/zen-auth/zen/internal/private"
)

const projectFile = ".zen.toml"

// readProjectFile reads the nearest .zen.toml in dir or, inside of a repository or the
// home directory, in a parent: up to the repository's root, or below home. Where there
// is none, the document is empty.
//
// A project file decides which database gets the token, so one that another user
// planted (in /tmp, say, together with a .git) is an error, as it is to git since
// CVE-2022-24765. It is opened once: what was looked at is what is read.
func readProjectFile(dir, home string) (*document, error) {
	path, f, err := nearestProjectFile(dir, home)
	if f == nil {
		if errors.Is(err, private.ErrForeign) {
			err = fileError(path, 0, "belongs to another user", "look into it, then make it your own with chown, or remove it")
		}
		return &document{}, err
	}
	defer f.Close()
	data, err := readAll(KindProjectFile, path, f)
	if err != nil {
		return nil, err
	}
	return parseDocument(KindProjectFile, path, data)
}

// nearestProjectFile opens the file; nil means none. What is not a regular file, or can't
// be opened, counts as none.
func nearestProjectFile(dir, home string) (found string, f *os.File, err error) {
	none := func() {
		if f != nil {
			_ = f.Close()
		}
		found, f, err = "", nil, nil
	}
	for current := dir; ; current = filepath.Dir(current) {
		if found == "" {
			path := filepath.Join(current, projectFile)
			f, err = private.Rule{Root: true, Links: true}.Open(path, os.O_RDONLY)
			if err == nil || errors.Is(err, private.ErrForeign) {
				found = path
			}
		}
		if found != "" && current == dir {
			return found, f, err // no boundary has to be found
		}
		parent := filepath.Dir(current)
		if _, statErr := os.Lstat(filepath.Join(current, ".git")); statErr == nil || parent == home {
			if found == "" {
				none()
			}
			return found, f, err
		}
		if parent == current || current == home {
			none()
			return found, f, err
		}
	}
}
