//go:build !unix

package config

import "io/fs"

// ownedByUser leaves the question to the system's own permissions: shared
// directories are not world-writable by default there.
func ownedByUser(fs.FileInfo) bool { return true }
