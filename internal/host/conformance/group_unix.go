//go:build unix

package conformance

import (
	"os"
	"syscall"
)

// killGroup kills the process group that p leads, if there are processes left in it.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// groupAlive reports whether there are processes left in the provider's process group.
func (p *process) groupAlive() bool { return syscall.Kill(-p.cmd.Process.Pid, 0) == nil }
