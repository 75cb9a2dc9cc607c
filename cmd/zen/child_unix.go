//go:build !windows

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// terminate asks a process to end.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// endSignals are what zen is told to end by, other than Ctrl-C: also the terminal
// that is closed, unless nohup(1) had it ignored.
func endSignals() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{syscall.SIGTERM}
	}
	return []os.Signal{syscall.SIGTERM, syscall.SIGHUP}
}

// exitStatus is the exit code of a process as a shell gives it: 128 and the
// signal where one ended it.
func exitStatus(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
