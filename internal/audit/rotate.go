package audit

import (
	"errors"
	"io/fs"
	"os"
	"strconv"

	"github.com/gofrs/flock"

	"github.com/zen-auth/zen/internal/private"
)

// rotate renames the file and its predecessors. One process does; the others go on
// with the file that is there.
func (l *Log) rotate(more int64) error {
	lock := flock.New(l.path+".lock", flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil || !locked {
		return err
	}
	defer lock.Unlock()
	info, err := os.Lstat(l.path)
	if err != nil || info.Size()+more <= maxSize {
		return ignoreMissing(err) // another process was first
	}
	for n := kept; n > 0; n-- {
		if err := ignoreMissing(private.Rename(l.name(n-1), l.name(n))); err != nil {
			return err
		}
	}
	return nil
}

// name returns the n-th file back; 0 means the current one.
func (l *Log) name(n int) string {
	if n == 0 {
		return l.path
	}
	return l.path + "." + strconv.Itoa(n)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
