package conformance

import (
	"os"
	"syscall"
)

// isolation puts the process into a process group of its own, and has the kernel kill it
// when the thread that started it ends.
func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// onMainThread reports whether this is the process's main thread, which Go never ends.
func onMainThread() bool { return syscall.Gettid() == os.Getpid() }

// canSeclude says whether this system can start processes without a network.
const canSeclude = true

// seclude starts the process in a new network namespace, which has no network, not even
// loopback. Sockets in the file system still work. Users other than root may do this only
// in a new user namespace.
func seclude(attr *syscall.SysProcAttr) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
}
