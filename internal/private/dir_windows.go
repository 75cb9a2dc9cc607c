package private

import (
	"io/fs"
	"os"
	"time"
)

// abandoned is the least age of a directory that is swept: there are no locks on
// directories here, and nothing is in use for so long.
const abandoned = 24 * time.Hour

func isOurs(fs.FileInfo) bool { return true }

func markUsed(string, bool) (mark *os.File, ok bool) { return nil, true }
