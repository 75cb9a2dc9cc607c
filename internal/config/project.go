package config

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
)

const projectFile = ".zen.toml"

// findProjectFile returns the nearest .zen.toml in dir or, inside of a repository
// or the home directory, in a parent: up to the repository's root, or below home.
// It returns "" where there is none.
//
// A project file decides which database gets the token, so one that another user
// planted (in /tmp, say, together with a .git) is an error, as it is to git since
// CVE-2022-24765.
func findProjectFile(dir string) (string, error) {
	path, info := nearestProjectFile(dir)
	if info != nil && !ownedByUser(info) {
		return "", fileError(path, 0, "belongs to another user", "look into it, then make it your own with chown, or remove it")
	}
	return path, nil
}

func nearestProjectFile(dir string) (found string, info fs.FileInfo) {
	for current := dir; ; current = filepath.Dir(current) {
		if info == nil {
			path := filepath.Join(current, projectFile)
			if i, err := os.Stat(path); err == nil && i.Mode().IsRegular() {
				found, info = path, i
			}
		}
		if info != nil && current == dir {
			return found, info // no boundary has to be found
		}
		parent := filepath.Dir(current)
		if _, err := os.Lstat(filepath.Join(current, ".git")); err == nil || parent == xdg.Home {
			return found, info
		}
		if parent == current || current == xdg.Home {
			return "", nil
		}
	}
}
