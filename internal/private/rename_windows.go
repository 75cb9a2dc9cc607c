package private

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Rename replaces to: os.Rename is MoveFileEx with MOVEFILE_REPLACE_EXISTING. It waits a
// while for a program that has one of the files open.
func Rename(from, to string) error {
	return patiently(func() error { return os.Rename(from, to) })
}

// chmod has nothing to do: a file is made with its access list.
func chmod(*os.File, fs.FileMode) error { return nil }

// patiently tries for two seconds while another process has the file open: Windows
// replaces no file that is being read, and opens none that is being replaced.
func patiently(try func() error) error {
	const sharingViolation = syscall.Errno(32)
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := try()
		if !errors.Is(err, syscall.ERROR_ACCESS_DENIED) && !errors.Is(err, sharingViolation) || time.Now().After(end) {
			return err
		}
	}
}
