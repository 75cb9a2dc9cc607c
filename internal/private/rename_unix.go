//go:build unix

package private

import (
	"io/fs"
	"os"
)

// Rename replaces to.
func Rename(from, to string) error { return os.Rename(from, to) }

// create makes a file.
func create(name string, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// chmod undoes what the umask took.
func chmod(f *os.File, mode fs.FileMode) error { return f.Chmod(mode) }
