package plugin

import (
	"io/fs"
	"os"
)

// markUsed does nothing: providers have no socket files here.
func markUsed(string) (mark *os.File, ok bool) { return nil, false }

func isOwn(fs.FileInfo) bool { return false }
