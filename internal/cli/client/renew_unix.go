//go:build !windows

package client

import "syscall"

// ownSession keeps the signals of this process's terminal and group from another.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
