//go:build !windows

package app

import (
	"os"
	"os/signal"
	"syscall"
)

// terminate asks a process to end.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// EndSignals returns the signals that end zen, other than Ctrl-C: also the terminal
// that is closed, unless nohup(1) had it ignored.
func EndSignals() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{syscall.SIGTERM}
	}
	return []os.Signal{syscall.SIGTERM, syscall.SIGHUP}
}

// ExitStatus returns the exit code of a process as a shell gives it: 128 and the
// signal where one ended it.
func ExitStatus(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
