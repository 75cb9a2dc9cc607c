// Package cli is the command line of the whole zen: it alone knows every group of
// commands, and what completes them.
package cli

import (
	"context"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/cli/configuration"
	"github.com/zen-auth/zen/internal/cli/connect"
	"github.com/zen-auth/zen/internal/cli/db"
	"github.com/zen-auth/zen/internal/cli/dev"
	"github.com/zen-auth/zen/internal/cli/doctor"
	"github.com/zen-auth/zen/internal/cli/explain"
	"github.com/zen-auth/zen/internal/cli/jwks"
	"github.com/zen-auth/zen/internal/cli/provider"
	"github.com/zen-auth/zen/internal/cli/proxy"
	"github.com/zen-auth/zen/internal/cli/signin"
	"github.com/zen-auth/zen/internal/cli/team"
	"github.com/zen-auth/zen/internal/cli/token"
	"github.com/zen-auth/zen/internal/early"
	"github.com/zen-auth/zen/internal/leftover"
)

// Run does what a line says, and returns the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	early.Take()
	if leftover.Run(args) {
		return 0
	}
	return fullProgram().Run(ctx, args, stdin, stdout, stderr)
}

// fullProgram returns the whole zen.
func fullProgram() app.Program {
	return app.Program{
		Commands: []*cli.Command{
			signin.LoginCommand(), signin.LogoutCommand(), token.StatusCommand(), token.Command(), token.ExecCommand(), signin.ProfilesCommand(), db.Command(),
			proxy.Command(), provider.Command(), dev.Command(), versionCommand(), completionCommand(), client.RenewCommand(), client.ActCommand(),
			doctor.Command(), jwks.Command(), explain.Command(), connect.Command(), configuration.Command(), configuration.InitCommand(),
			team.Command(), team.OrgCommand(),
		},
		WithSession: client.WithSession,
		Complete:    completeValue,
	}
}
