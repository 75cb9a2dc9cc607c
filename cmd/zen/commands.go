//go:build !front

package main

import (
	"context"
	"io"

	"github.com/urfave/cli/v2"
)

// run does what a line says, and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return fullProgram().Run(ctx, args, stdin, stdout, stderr)
}

// fullProgram is the whole zen.
func fullProgram() Program {
	return Program{
		Commands: []*cli.Command{
			loginCommand(), logoutCommand(), statusCommand(), tokenCommand(), execCommand(), profilesCommand(), dbCommand(),
			proxyCommand(), providerCommand(), devCommand(), versionCommand(), completionCommand(), renewCommand(),
		},
		WithSession: withSession,
		Complete:    completeValue,
	}
}
