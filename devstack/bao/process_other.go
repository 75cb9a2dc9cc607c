//go:build !unix

package bao

import (
	"errors"
	"os"
	"os/exec"
)

func apart(*exec.Cmd) {}

func askToEnd(*exec.Cmd) error { return errors.ErrUnsupported }

func endAll(command *exec.Cmd) error {
	err := command.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
