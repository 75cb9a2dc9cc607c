//go:build unix && !linux

package harden

// itself keeps the process's memory, which holds credentials, from core files.
func itself() error { return noCore() }

func host() error { return noCoreHere() }
