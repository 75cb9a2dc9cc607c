//go:build unix && !linux

package plugin

// harden keeps the process's memory, which holds credentials, from core files.
func harden() error { return noCore() }

func hardenHost() error { return noCoreHere() }
