package token

import (
	"os"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/tokenform"
)

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
started with. A command that can't be found is exit code 127, one that can't be
run 126; when a sign-in is needed, the command isn't run and the exit code is 3.

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

until the command ends by itself. While no other token is to be had, it goes on
with the one that it has.`,
		Flags: append(tokenFlags(),
			&cli.StringSliceFlag{Name: "env", Usage: "set `NAME=WHAT`, too: WHAT is url, token or expires; may be given again"},
			&cli.StringFlag{Name: "watch", Usage: "renew in time, and `ACT`: restart, or send the signal of this name"},
			&cli.StringFlag{Name: "token-file", Usage: "with --watch, keep the token in `FILE`, too, until the command ends", TakesFile: true},
		),
		Action: execAction,
	}
}

func execAction(c *cli.Context) error {
	if c.NArg() == 0 {
		return app.Usage(c, "which command? write it behind --")
	}
	extra, err := tokenform.Variables(c.StringSlice("env"))
	if err != nil {
		return app.Usage(c, "%v", err)
	}
	command := c.Args().Slice()
	path, err := app.FindCommand(command[0])
	if err != nil {
		return err
	}
	if c.IsSet("watch") || c.IsSet("token-file") {
		return watch(c, path, command, extra)
	}
	s, t, err := goodToken(c, true)
	if err != nil {
		return err
	}
	return app.CommandError(command[0], app.ReplaceProcess(path, command, answer(s, t).Environment(os.Environ(), extra)))
}
