package pin

import "io/fs"

// checkOwn has nothing to check: mode bits say nothing here.
func checkOwn(fs.FileInfo) error { return nil }
