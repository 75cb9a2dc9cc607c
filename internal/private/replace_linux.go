package private

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// nameless makes a file in dir that goes away with this process, unless it is given a
// name. Not every file system can.
func nameless(dir string, mode fs.FileMode) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, uint32(mode.Perm()))
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	f := os.NewFile(uintptr(fd), dir)
	// Without /proc, as in a bare chroot, it would never get a name.
	if _, err := os.Stat(itself(f)); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func itself(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

func giveName(f *os.File, name string) error {
	if err := unix.Linkat(unix.AT_FDCWD, itself(f), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW); err != nil {
		return &os.LinkError{Op: "link", Old: "an unnamed file", New: name, Err: err}
	}
	return nil
}
