package conformance

import (
	"os"
	"syscall"

	"github.com/zen-auth/zen/internal/leftover"
)

func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// killGroup kills p; the others are in its job.
func killGroup(p *os.Process) { _ = p.Kill() }

// groupAlive reports whether anything is left in the provider's job.
func (p *process) groupAlive() bool { return leftover.Left(p.dir.Path) }
