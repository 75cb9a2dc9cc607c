package conformance

import "syscall"

// isolation lets the process die with the thread that started it.
func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
