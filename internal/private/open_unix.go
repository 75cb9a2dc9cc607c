//go:build unix

package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

const (
	nonBlock = syscall.O_NONBLOCK
	noFollow = syscall.O_NOFOLLOW
)

// isLink recognises the refusal of O_NOFOLLOW, which is EMLINK on FreeBSD.
func isLink(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK)
}

func (r Rule) checkOwner(info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case ok && int(stat.Uid) != os.Geteuid() && !(r.Root && stat.Uid == 0):
		return fmt.Errorf("%w (%d)", ErrForeign, stat.Uid)
	case !r.Shared && info.Mode().Perm()&0o022 != 0:
		return ErrWritable
	}
	return nil
}
