//go:build unix

package harden

import "golang.org/x/sys/unix"

// noCore forbids core files, for good.
func noCore() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }

// noCoreHere forbids core files, but leaves it to the programs that this process
// starts to allow them.
func noCoreHere() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	limit.Cur = 0
	return unix.Setrlimit(unix.RLIMIT_CORE, &limit)
}
