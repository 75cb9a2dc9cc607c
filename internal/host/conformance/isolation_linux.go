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

// canSeclude reports whether processes without a network can be made here, in theory.
const canSeclude = true

// seclude takes the network away: a namespace of its own has none, not even loopback.
// Sockets in the file system are still there. The user namespace is what lets a user
// do that who isn't root.
func seclude(attr *syscall.SysProcAttr) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
}
