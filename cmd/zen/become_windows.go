//go:build front

package main

import (
	"errors"
	"os"
	"os/exec"
)

// become runs another program in this one's place: Windows can't replace a process.
// Ctrl-C reaches both, and the other acts on it.
func become(path string, args []string) error {
	cmd := exec.Command(path, args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		return childExit{exited.ExitCode()}
	}
	return err
}
