package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/devstack"
)

func devCommand() *cli.Command {
	return &cli.Command{
		Name:      "dev",
		Usage:     "run a local Clerk, Turso and app",
		ArgsUsage: "[-- COMMAND [ARGUMENT...]]",
		Description: `Everything that zen needs, on one loopback port and without an account: a
Clerk instance with the users alice and bob, an app with a bridge page, Turso's
Platform API with the organization acme, and its database app.

   zen dev                     run until Ctrl-C; prints the variables to export
   zen dev -- make test        run a command inside, and stop with it
   zen dev fault jwks-stuck on make something fail (inside)`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "listen on the loopback `ADDRESS`; port 0 is a free one", Value: "127.0.0.1:0"},
			&cli.StringFlag{Name: "dir", Usage: "keep databases, keys and configuration in `DIR`", TakesFile: true},
			&cli.DurationFlag{Name: "token-lifetime", Usage: "how long Clerk's template tokens live (default: 1m0s)"},
		},
		Action:      dev,
		Subcommands: []*cli.Command{devFaultCommand(), devBrowseCommand()},
	}
}

func dev(c *cli.Context) error {
	if d := c.Duration("token-lifetime"); d < 0 {
		return usage(c, "--token-lifetime %s is negative", d)
	}
	dir, err := devDir(c.String("dir"))
	if err != nil {
		return err
	}
	options := devstack.Options{Address: c.String("listen"), TokenLifetime: c.Duration("token-lifetime")}
	if c.IsSet("dir") {
		options.Dir = filepath.Join(dir, "data")
	} else {
		defer os.RemoveAll(dir)
	}
	if globalBool(c, "debug") {
		options.Logger = slog.New(slog.NewTextHandler(c.App.ErrWriter, nil))
	}
	stack, err := devstack.Start(options)
	if err != nil {
		return err
	}
	err = devInside(c, stack, dir)
	if closeErr := stack.Close(); err == nil {
		err = closeErr
	}
	return err
}

// devDir is the directory of the configuration, a temporary one without --dir.
func devDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "zen-dev-")
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	return dir, err
}

// devInside prints the environment and waits, or runs a command in it.
func devInside(c *cli.Context, stack *devstack.Stack, dir string) error {
	environment, err := stack.Environment(dir)
	if err != nil {
		return err
	}
	if c.NArg() > 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		// In zen's own environment, so that the command itself is found there, too.
		path := filepath.Dir(self) + string(os.PathListSeparator) + os.Getenv("PATH")
		if err := os.Setenv("PATH", path); err != nil {
			return err
		}
		return runInside(c.Context, c.Args().Slice(), environment, c.App.Reader, c.App.Writer, c.App.ErrWriter)
	}
	if err := printEnvironment(c, stack, environment); err != nil {
		return err
	}
	fmt.Fprintf(notes(c), "The stack is ready at %s: alice@example.test and bob@example.test can sign in. Ctrl-C stops it.\n", stack.URL())
	<-c.Context.Done()
	return nil
}

func printEnvironment(c *cli.Context, stack *devstack.Stack, environment []devstack.Variable) error {
	if globalBool(c, "json") {
		variables := map[string]string{}
		for _, v := range environment {
			variables[v.Name] = v.Value
		}
		return printJSON(c, struct {
			SchemaVersion int               `json:"schema_version"`
			URL           string            `json:"url"`
			Environment   map[string]string `json:"environment"`
		}{schemaVersion, stack.URL(), variables})
	}
	for _, v := range environment {
		if _, err := fmt.Fprintf(c.App.Writer, "export %s='%s'\n", v.Name, strings.ReplaceAll(v.Value, "'", `'\''`)); err != nil {
			return err
		}
	}
	return nil
}

func devFaultCommand() *cli.Command {
	return &cli.Command{
		Name:      "fault",
		Usage:     "list the faults, or switch one",
		ArgsUsage: "[NAME on|off]",
		Flags:     []cli.Flag{&cli.StringFlag{Name: "url", Usage: "of the stack at `URL`", EnvVars: []string{"ZEN_DEV_URL"}}},
		Action: func(c *cli.Context) error {
			admin := devstack.Admin{URL: c.String("url")}
			if admin.URL == "" {
				return usage(c, "no stack: run this inside of zen dev, or name one with --url")
			}
			var states []devstack.FaultState
			var err error
			switch state := c.Args().Get(1); {
			case c.NArg() == 0:
				states, err = admin.Faults(c.Context)
			case c.NArg() == 2 && (state == "on" || state == "off"):
				states, err = admin.Switch(c.Context, c.Args().First(), state == "on")
			default:
				return usage(c, "give a fault and on or off")
			}
			if err != nil {
				return err
			}
			return printFaults(c, states)
		},
	}
}

func printFaults(c *cli.Context, states []devstack.FaultState) error {
	if globalBool(c, "json") {
		return printJSON(c, struct {
			SchemaVersion int                   `json:"schema_version"`
			Faults        []devstack.FaultState `json:"faults"`
		}{schemaVersion, states})
	}
	for _, s := range states {
		if name := c.Args().First(); name != "" && name != s.Name {
			continue
		}
		on := "off"
		if s.On {
			on = "on"
		}
		if _, err := fmt.Fprintf(c.App.Writer, "%-22s %-4s %s\n", s.Name, on, s.Summary); err != nil {
			return err
		}
	}
	return nil
}

func devBrowseCommand() *cli.Command {
	return &cli.Command{
		Name:      "browse",
		Usage:     "play the person at the browser",
		ArgsUsage: "URL",
		Description: `Opens the URL, signs in where a page asks for it and presses its button. With

   export BROWSER="zen dev browse --user alice"

zen login finds its person without a display.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "user", Usage: "be `USER`: an e-mail address, or what stands before its @", Value: devstack.User},
			&cli.StringFlag{Name: "password", Usage: "type `PASSWORD`; for development users only, others' don't belong on a command line"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage(c, "give one URL")
			}
			ctx, cancel := context.WithTimeout(c.Context, loginTimeout)
			defer cancel()
			return visit(ctx, c)
		},
	}
}
