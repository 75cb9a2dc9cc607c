//go:build unix

package conformance

import (
	"os"
	"syscall"
)

// killGroup kills the group that p leads. A group that is gone is fine.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// groupAlive reports whether anything is left of the group that the provider led.
func (p *process) groupAlive() bool { return syscall.Kill(-p.cmd.Process.Pid, 0) == nil }
