//go:build !linux

package app

// adoptOrphans does nothing: only Linux has a way to find what a command left
// running.
func adoptOrphans() {}

func endOrphans() {}
