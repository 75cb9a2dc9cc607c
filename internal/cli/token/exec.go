package token

import (
	"context"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/tokenform"
)

// ExecCommand is zen exec.
func ExecCommand() *cli.Command {
	return &cli.Command{
		Name:      "exec",
		Usage:     "run a command with a token in its environment",
		ArgsUsage: "-- COMMAND [ARGUMENT...]",
		Description: `The command replaces the zen process: it has its own exit code, signals and terminal,
and no zen process remains. In its environment are

   TURSO_DATABASE_URL, TURSO_AUTH_TOKEN     also as LIBSQL_URL, LIBSQL_AUTH_TOKEN
   TURSO_AUTH_TOKEN_EXPIRES_AT              RFC 3339; unset if the token never expires
   ZEN_PROFILE                              the profile

and none of the TURSO_*, LIBSQL_* and ZEN_<PROVIDER>__* variables that zen was
started with. If the command can't be found, the exit code is 127; if it can't be run,
126. If a sign-in is needed, the exit code is 3, and the command isn't run.

   zen exec -- npm start
   zen exec --access ro -- sqlite-report
   zen exec --env DB_URL=url --env DB_TOKEN=token -- ./app

A running program's environment can't be changed. With --watch, zen keeps running,
and gets the next token before this one expires:

   zen exec --watch restart -- ./server
             then ends the command (TERM, and KILL after ten seconds) and starts it again
   zen exec --watch HUP --token-file /run/app/token -- ./server
             then writes the token to the file, which only its owner can read, and
             sends the signal; the file's name is in TURSO_AUTH_TOKEN_FILE

This ends when the command ends by itself. While zen can't get a new token, the
command keeps the old one.`,
		Flags: append(tokenFlags(),
			&cli.StringSliceFlag{Name: "env", Usage: "also set the variable `NAME=WHAT`: WHAT is url, token or expires; may be repeated"},
			&cli.StringFlag{Name: "watch", Usage: "renew the token in time, then `ACT`: restart, or the name of a signal to send"},
			&cli.StringFlag{Name: "token-file", Usage: "with --watch, also keep the token in `FILE` until the command ends", TakesFile: true},
		),
		Action: func(c *cli.Context) error {
			o := ExecOptions{
				Command: c.Args().Slice(), Env: c.StringSlice("env"), MinTTL: c.Duration("min-ttl"),
				Watch: c.String("watch"), TokenFile: c.String("token-file"),
			}
			if c.IsSet("watch") && o.Watch == "" {
				return app.Usage(c, "--watch is empty")
			}
			return o.Run(c.Context, app.EnvOf(c))
		},
	}
}

// ExecOptions are the flags of zen exec.
type ExecOptions struct {
	// Command is run, with its arguments.
	Command []string
	// Env are further variables: NAME=WHAT, of which WHAT is url, token or expires.
	Env []string
	// MinTTL is the least life that the token must have left.
	MinTTL time.Duration
	// Watch is "restart", or the signal that announces the next token to the command; "" is
	// to have the command take this process's place.
	Watch string
	// TokenFile has the token, too, while the command is watched.
	TokenFile string
}

// Run runs the command with a token in its environment. Without Watch, it returns only
// if that failed.
func (o ExecOptions) Run(ctx context.Context, e *app.Env) error {
	if len(o.Command) == 0 {
		return e.Usage("which command? write it after --")
	}
	extra, err := tokenform.Variables(o.Env)
	if err != nil {
		return e.Usage("%v", err)
	}
	path, err := app.FindCommand(o.Command[0])
	if err != nil {
		return err
	}
	if o.Watch != "" || o.TokenFile != "" {
		return o.watch(ctx, e, path, extra)
	}
	s, t, err := goodToken(ctx, e, o.MinTTL, true)
	if err != nil {
		return err
	}
	return app.CommandError(o.Command[0], app.ReplaceProcess(path, o.Command, answer(e, s, t).Environment(os.Environ(), extra)))
}
