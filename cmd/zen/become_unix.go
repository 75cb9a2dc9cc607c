//go:build front && !windows

package main

import (
	"os"
	"syscall"
)

// become replaces this process by another program.
func become(path string, args []string) error { return syscall.Exec(path, args, os.Environ()) }
