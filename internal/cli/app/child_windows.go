package app

import (
	"os"
	"syscall"
)

// terminate ends a process: Windows has no way to ask a console program that
// reaches it alone.
func terminate(p *os.Process) error { return p.Kill() }

// EndSignals are what zen is told to end by, other than Ctrl-C: package os/signal
// makes one of a console that is closed.
func EndSignals() []os.Signal { return []os.Signal{syscall.SIGTERM} }

func ExitStatus(state *os.ProcessState) int { return state.ExitCode() }
