// Package replace has another program take this one's place.
package replace

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// Process runs the command and ends zen with its exit code: Windows can't
// replace a process. Ctrl-C and Ctrl-Break reach both from the console, and the
// command acts on them. It returns only where the command can't be run, as elsewhere:
// a caller that went on after it would do the work again.
func Process(path string, command, environ []string) error {
	cmd := exec.Command(path)
	cmd.Args, cmd.Env = command, environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	err := cmd.Run()
	var exited *exec.ExitError
	if err == nil || errors.As(err, &exited) {
		os.Exit(cmd.ProcessState.ExitCode())
	}
	return err
}
