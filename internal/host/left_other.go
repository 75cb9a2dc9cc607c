//go:build !linux

package host

// endLeft has no means here: what killGroup reaches is all that is ended.
func endLeft(string) {}
