// Package app is what all commands share: how a line is read, the terminal, the
// sign-in's user interface, JSON, and the exit codes. It starts no provider, so that
// the front can link it.
package app

import (
	"context"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/text"
)

const description = `zen signs you in with the identity you have (Clerk, Auth0, a Turso platform token,
or one that a third party's provider knows) and gives every libSQL connection a
fresh, verified token for that database only.

Standard output is the answer; everything else goes to standard error.
zen --help-json is the whole command line as one JSON document.
Exit codes: 0 done, 1 other error, 2 usage or configuration, 3 sign-in needed,
4 unavailable, 5 not permitted, 130 interrupted.`

// Program is a zen: what it can do, and how its commands get a session.
type Program struct {
	Commands []*cli.Command
	// WithSession runs fn with the session of the profile that the line selects.
	WithSession func(ctx context.Context, e *Env, fn func(*session.Session) error) error
	// Complete completes what words end with; ok is false if that is neither the
	// value of a flag nor a known argument. If nil, commands and flags are completed.
	Complete func(a *cli.App, words []string) (values string, ok bool)
}

// Run does what the line says, and returns the exit code.
func (p Program) Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	line, err := p.Perform(ctx, args, stdin, stdout, stderr)
	return Finish(ctx, line, stderr, err)
}

// Perform is Run without its end: line is how the args were understood, as far as they
// were, for Finish.
func (p Program) Perform(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (line []string, err error) {
	app := p.App(stdin, stdout, stderr)
	if len(args) == 2 && args[1] == "--version" {
		args = []string{args[0], "version"}
	}
	if len(args) == 2 && args[1] == "--help-json" {
		return args, writeHelp(stdout, app)
	}
	if n := len(args); n > 1 && args[n-1] == Completing {
		if p.Complete != nil {
			if values, ok := p.Complete(app, args[1:n-1]); ok {
				_, err := io.WriteString(stdout, values)
				return args, err
			}
		}
		line, ok := completionLine(args)
		if !ok {
			return args, nil
		}
		return line, app.RunContext(ctx, line)
	}
	line, err = FlagsFirst(app, args)
	if err != nil {
		return args, err
	}
	return line, app.RunContext(ctx, line)
}

// sessionKey is the key of an app's Program.WithSession in its metadata.
const sessionKey = "session"

// OneLine keeps texts from elsewhere from drawing on the terminal, and from turning
// what is read there around (U+202E).
func OneLine(s string) string { return text.Line(strings.Join(strings.Fields(s), " "), len(s)) }

// App returns the program as package cli runs it.
func (p Program) App(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:        "zen",
		Usage:       "sign in, and use libSQL databases",
		Description: description,
		Reader:      stdin,
		Writer:      stdout,
		ErrWriter:   stderr,
		HideVersion: true,
		// zen reports errors and chooses exit codes itself.
		ExitErrHandler:       func(*cli.Context, error) {},
		OnUsageError:         usageError,
		EnableBashCompletion: true,
		Commands:             p.Commands,
		Metadata:             map[string]any{sessionKey: p.WithSession},
	}
	app.Flags = GlobalFlags()
	plainSwitches(app.Flags)
	finish(app.Commands)
	return app
}

// finish gives every command what all have: the global flags, so that they may
// stand before or after the command's name, and zen's way with wrong usage. One without
// an ArgsUsage takes no arguments.
func finish(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
		if len(c.Subcommands) > 0 {
			finish(c.Subcommands)
			if c.Action == nil {
				c.Action = cli.ShowSubcommandHelp
			}
		}
		if action := c.Action; action != nil {
			takesNone := c.ArgsUsage == "" && len(c.Subcommands) == 0
			c.Action = func(c *cli.Context) error {
				if err := emptyFlags(c); err != nil {
					return err
				}
				if takesNone && c.NArg() > 0 {
					return NoMoreThan(c, 0)
				}
				if err := trustAuthorities(c); err != nil {
					return err
				}
				return action(c)
			}
		}
		c.Flags = append(c.Flags, GlobalFlags()...)
		plainSwitches(c.Flags)
	}
}

// plainSwitches keeps "(default: false)" out of the help.
func plainSwitches(flags []cli.Flag) {
	for _, f := range flags {
		if b, ok := f.(*cli.BoolFlag); ok {
			b.DisableDefaultText = true
		}
	}
}

func usageError(c *cli.Context, err error, _ bool) error {
	return Usage(c, "%v", err)
}

// Usage is the Env's.
func Usage(c *cli.Context, format string, args ...any) error {
	return EnvOf(c).Usage(format, args...)
}

// NoMoreThan refuses arguments that the command would not read.
func NoMoreThan(c *cli.Context, n int) error {
	if c.NArg() > n {
		return Usage(c, "unexpected argument %q", c.Args().Get(n))
	}
	return nil
}
