//go:build unix

package private

import (
	"io/fs"
	"os"
)

func rename(from, to string) error { return os.Rename(from, to) }

// chmod undoes what the umask took.
func chmod(f *os.File, mode fs.FileMode) error { return f.Chmod(mode) }
