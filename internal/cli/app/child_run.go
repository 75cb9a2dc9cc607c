package app

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/zen-auth/zen/internal/terminal"
)

// RunChild runs a command until it ends by itself: an interrupt is the command's to
// act on, as a shell does that stays. From a terminal it reaches the command directly,
// from elsewhere it is passed on. When zen is told to end, the command is told, too,
// and killed ten seconds later. What it leaves running ends with it.
func RunChild(ctx context.Context, command, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), EndSignals()...)
	defer stop()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Env = environ
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = 10 * time.Second
	adoptOrphans()
	if err := cmd.Start(); err != nil {
		return CommandError(command[0], err)
	}
	err := wait(cmd, terminal.Is(stdin))
	endOrphans()
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		return ChildExit{Code: ExitStatus(exited.ProcessState)}
	}
	return err
}

// wait waits for a command and passes interrupts on, unless both have them from
// the same terminal.
func wait(cmd *exec.Cmd, terminal bool) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return err
		case <-interrupts:
			if !terminal {
				_ = cmd.Process.Signal(os.Interrupt) // it may just have ended
			}
		}
	}
}
