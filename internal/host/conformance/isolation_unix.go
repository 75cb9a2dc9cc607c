//go:build unix && !linux

package conformance

import "syscall"

func isolation() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
