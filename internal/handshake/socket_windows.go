package handshake

import "io/fs"

// Closed knows no answer: a provider isn't attached to here.
func Closed(string) string { return "that is not possible on Windows" }

// IsOwn is false: mode bits say nothing about who may enter a directory here.
func IsOwn(fs.FileInfo) bool { return false }
