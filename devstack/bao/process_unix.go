//go:build unix

package bao

import (
	"errors"
	"os/exec"
	"syscall"
)

// apart gives the server and its plugins their own process group.
func apart(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func askToEnd(command *exec.Cmd) error { return command.Process.Signal(syscall.SIGTERM) }

// endAll kills what is left of the group.
func endAll(command *exec.Cmd) error {
	err := syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
