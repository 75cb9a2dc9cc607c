//go:build unix

package private

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// abandoned is the least age of a directory that is swept: before that it may be one
// that is about to be marked.
const abandoned = newborn

// isOurs reports whether a directory may be one of MakeDir.
func isOurs(info fs.FileInfo) bool { return Owned(info) && info.Mode().Perm() == 0o700 }

// markUsed locks the directory until the file is closed, or this process ends. If another
// has locked it, that one's end is waited for, or ok is false.
func markUsed(path string, wait bool) (mark *os.File, ok bool) {
	// Not through a link that another user put there.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	mark = os.NewFile(uintptr(fd), path)
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Flock(fd, how)
	}
	if err != nil {
		_ = mark.Close()
		return nil, false
	}
	return mark, true
}
