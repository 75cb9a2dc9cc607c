package app

import (
	"os"
	"syscall"
)

// terminate ends a process at once: Windows has no signal that reaches a single console
// program.
func terminate(p *os.Process) error { return p.Kill() }

// EndSignals end zen, beside Ctrl-C: package os/signal sends one when the console is
// closed.
func EndSignals() []os.Signal { return []os.Signal{syscall.SIGTERM} }

func ExitStatus(state *os.ProcessState) int { return state.ExitCode() }
