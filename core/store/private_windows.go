package store

import (
	"os"
	"path/filepath"
)

// openPrivate opens the file. The state directory is below the user's profile,
// whose access list keeps others out.
func openPrivate(path string) (*os.File, error) { return os.Open(path) }

// writePrivate replaces path: os.Rename is MoveFileEx with MOVEFILE_REPLACE_EXISTING.
func writePrivate(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := makePrivateDir(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".zen-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
