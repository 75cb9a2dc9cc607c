//go:build !windows

package main

import (
	"os"
	"runtime"
	"syscall"
)

// maxRSS is a process's largest resident set in bytes. Linux counts in KiB.
func maxRSS(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "linux" {
		return usage.Maxrss << 10
	}
	return usage.Maxrss
}
