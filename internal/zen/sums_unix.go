//go:build linux || darwin

package zen

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// fileState tells the file at path from others, and from itself before anybody wrote to it or
// put it there, which the system alone can say: nobody sets the time of a change. It is ""
// where that isn't known.
func fileState(path string) (state string, changed time.Time) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return "", time.Time{}
	}
	return stateOf(stat)
}

// stateOf is fileState of what the system says. A file system that keeps no times says 0.
func stateOf(stat unix.Stat_t) (state string, changed time.Time) {
	if stat.Ctim.Nano() <= 0 {
		return "", time.Time{}
	}
	changed = time.Unix(stat.Ctim.Unix())
	return fmt.Sprintf("%d:%d %d %d %d", stat.Dev, stat.Ino, stat.Size, stat.Mtim.Nano(), stat.Ctim.Nano()), changed
}
