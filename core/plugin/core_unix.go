//go:build unix

package plugin

import "golang.org/x/sys/unix"

func noCore() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
