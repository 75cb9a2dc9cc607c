package conformance

import (
	"os"
	"syscall"

	"github.com/zen-auth/zen/internal/leftover"
)

func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// killGroup kills p. The processes that it started end with its job object.
func killGroup(p *os.Process) { _ = p.Kill() }

// groupAlive reports whether there are processes left in the provider's job object.
func (p *process) groupAlive() bool { return leftover.Left(p.dir.Path) }
