package conformance

import (
	"os"
	"syscall"
)

// isolation lets the process die with the thread that started it.
func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// onMainThread reports whether this thread is the process's first, which Go never ends.
func onMainThread() bool { return syscall.Gettid() == os.Getpid() }
