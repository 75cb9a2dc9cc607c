package host

import (
	"os"
	"syscall"
)

// isolation keeps Ctrl-C at the host, which ends the provider itself.
func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

// killGroup kills p; there is no group to kill.
func killGroup(p *os.Process) { _ = p.Kill() }
