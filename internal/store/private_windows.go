package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// openPrivate opens the file. The state directory is below the user's profile,
// whose access list keeps others out.
func openPrivate(path string) (f *os.File, err error) {
	err = patiently(func() error {
		f, err = os.Open(path)
		return err
	})
	return f, err
}

// checkPrivateDir has nothing to check: the access list is inherited.
func checkPrivateDir(string, fs.FileInfo) error { return nil }

// writePrivate replaces path: os.Rename is MoveFileEx with MOVEFILE_REPLACE_EXISTING.
func writePrivate(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"*")
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
	return patiently(func() error { return os.Rename(f.Name(), path) })
}

// patiently tries for two seconds while another process has the file open: Windows
// replaces no file that somebody reads, and opens none that is being replaced.
func patiently(try func() error) error {
	const sharingViolation = syscall.Errno(32)
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := try()
		if !errors.Is(err, syscall.ERROR_ACCESS_DENIED) && !errors.Is(err, sharingViolation) || time.Now().After(end) {
			return err
		}
	}
}
