package conformance

import (
	"os"
	"syscall"
)

func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func killGroup(p *os.Process) { _ = p.Kill() }

// groupAlive: Windows has no process groups to ask for.
func groupAlive(*os.Process) bool { return false }
