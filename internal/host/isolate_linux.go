package host

import "syscall"

// isolation puts the process into a group of its own, so that all of it can be
// killed, and lets it die with this one, however this one dies.
func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
