package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/browse"
)

// runInside runs a command with further variables. It has the terminal, so that
// Ctrl-C reaches it directly; when zen itself is told to end, the command is told,
// too, and killed ten seconds later. What it leaves running ends with it.
func runInside(ctx context.Context, command []string, environment []devstack.Variable, stdin io.Reader, stdout, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Env = os.Environ()
	for _, v := range environment {
		cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
	}
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = 10 * time.Second
	if err := adoptOrphans(); err != nil {
		return fmt.Errorf("run %s: adopt its children: %w", command[0], err)
	}
	err := cmd.Run()
	endOrphans()
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited):
		return childExit{exitStatus(exited.ProcessState)}
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("run %s: it is not on the PATH", command[0])
	}
	return err
}

func visit(ctx context.Context, c *cli.Context) error {
	person := browse.Person{User: c.String("user"), Password: c.String("password")}
	return browse.Visit(ctx, person, c.Args().First(), notes(c))
}
