//go:build unix

package host

import (
	"os"
	"syscall"
)

// killGroup kills the group that p leads. A group that is gone is fine.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
