//go:build unix

package private

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// abandoned is how old a directory is at least that is swept: before that it may be one
// that is about to be marked.
const abandoned = newborn

// isOurs reports whether a directory may be one of MakeDir.
func isOurs(info fs.FileInfo) bool { return Owned(info) && info.Mode().Perm() == 0o700 }

// markUsed locks the directory until the file is closed, or this process ends; ok
// is false if another has locked it.
func markUsed(path string) (mark *os.File, ok bool) {
	// Not through a link that somebody put there.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	mark = os.NewFile(uintptr(fd), path)
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = mark.Close()
		return nil, false
	}
	return mark, true
}
