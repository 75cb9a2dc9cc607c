//go:build unix && !linux

package host

import "syscall"

// isolation puts the process into a group of its own, so that all of it can be
// killed. It notices the death of this one by itself: see watchParent.
func isolation() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
