//go:build !windows

package audit

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// openPrivate opens or makes the file, which has to be the user's own and closed to
// others. It follows no symbolic link and doesn't wait for the reader of a pipe.
func openPrivate(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, cause(err)
	}
	info, err := f.Stat()
	if err == nil {
		stat, ok := info.Sys().(*syscall.Stat_t)
		switch {
		case !info.Mode().IsRegular():
			err = errors.New("it is not a regular file")
		case ok && int(stat.Uid) != os.Geteuid():
			err = fmt.Errorf("it belongs to user %d, not to you", stat.Uid)
		case info.Mode().Perm()&0o077 != 0:
			err = fmt.Errorf("others can read it (mode %04o): chmod 600 closes it", info.Mode().Perm())
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// cause drops the path, which the message has already.
func cause(err error) error {
	if errors.Is(err, syscall.ELOOP) {
		return errors.New("it is a symbolic link")
	}
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
