package client

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// ownSession keeps the signals of this process's console from another.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}
