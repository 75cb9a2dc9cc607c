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
		Description: `The command takes zen's place: its exit code, its signals and its terminal are
its own, and no zen stays behind. It finds

   TURSO_DATABASE_URL, TURSO_AUTH_TOKEN     also as LIBSQL_URL, LIBSQL_AUTH_TOKEN
   TURSO_AUTH_TOKEN_EXPIRES_AT              RFC 3339; unset for a token without an end
   ZEN_PROFILE                              the profile

and none of the TURSO_*, LIBSQL_* and ZEN_<PROVIDER>__* variables that zen was
started with. The exit code is 127 if the command can't be found, 126 if it can't be
run, and 3 if a sign-in is needed: then the command isn't run.

   zen exec -- npm start
   zen exec --access ro -- sqlite-report
   zen exec --env DB_URL=url --env DB_TOKEN=token -- ./app

A running program can't be given another environment. With --watch, zen stays,
gets the next token in time, and

   zen exec --watch restart -- ./server
             ends the command (TERM, and after ten seconds KILL) and starts it again
   zen exec --watch HUP --token-file /run/app/token -- ./server
             writes the token to the file, for its owner alone, and signals the
             command, which finds the file's name in TURSO_AUTH_TOKEN_FILE

until the command ends by itself. While no new token can be had, it goes on with
the old one.`,
		Flags: append(tokenFlags(),
			&cli.StringSliceFlag{Name: "env", Usage: "set `NAME=WHAT`, too: WHAT is url, token or expires; may be given again"},
			&cli.StringFlag{Name: "watch", Usage: "renew in time, and `ACT`: restart, or send the signal of this name"},
			&cli.StringFlag{Name: "token-file", Usage: "with --watch, keep the token in `FILE`, too, until the command ends", TakesFile: true},
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
		return e.Usage("which command? write it behind --")
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
