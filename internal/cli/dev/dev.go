// Package dev has the local stack, and the person who plays at its browser.
package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/private"
)

// visitTimeout is how long zen dev browse may take, as long as zen login waits for it.
const visitTimeout = 5 * time.Minute

func Command() *cli.Command {
	return &cli.Command{
		Name:      "dev",
		Usage:     "run a local Clerk, Auth0, OpenID issuer, CI, Turso and app",
		ArgsUsage: "[-- COMMAND [ARGUMENT...]]",
		Description: `Everything that zen needs, on the loopback and without an account: a Clerk
instance, an Auth0 tenant and an OpenID issuer with the users alice and bob, an
app with a bridge page, CI that states which job the command is, Turso's Platform
API with the organization acme, and its database app. A file given with --seed
declares others instead.

   zen dev                      run until Ctrl-C; prints the variables to export
   zen dev -- make test         run a command inside, and stop with it
   zen dev --fault jwks-stuck   start with something that fails
   zen dev fault jwks-stuck off switch it while the stack runs (inside)

Its address, opened in a browser, shows users, databases, tokens and the last
requests, and has the fault switches.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "listen on the loopback `ADDRESS`; port 0 is a free one (default: a free port, or the one that --dir keeps)"},
			&cli.StringFlag{Name: "auth0-listen", Usage: "let the Auth0 tenant listen on the loopback `ADDRESS` (default: as with --listen)"},
			&cli.StringFlag{Name: "dir", Usage: "keep databases, registrations, keys, the port and configuration in `DIR`", TakesFile: true},
			&cli.StringFlag{Name: "seed", Usage: "start with the users, organizations and databases of `FILE` (TOML)", TakesFile: true},
			&cli.StringSliceFlag{Name: "fault", Usage: "start with the fault `NAME` on; may be given again"},
			&cli.BoolFlag{Name: "list-faults", Usage: "explain the faults and exit"},
			&cli.StringFlag{Name: "ci", Usage: "let the command be a job of `SYSTEM`: " + strings.Join(ci.Systems(), ", ") + ", or none", Value: "github"},
			&cli.BoolFlag{Name: "rate-limits", Usage: "have Clerk count requests, and answer 429 with Retry-After as the real one does"},
			&cli.DurationFlag{Name: "token-lifetime", Usage: "how long Clerk's template tokens live", DefaultText: "1m0s"},
		},
		Action:      dev,
		Subcommands: []*cli.Command{devFaultCommand(), devBrowseCommand(), devMailCommand()},
	}
}

func dev(c *cli.Context) error {
	if c.Bool("list-faults") {
		return listFaults(c)
	}
	options, err := devOptions(c)
	if err != nil {
		return err
	}
	dir, forget, err := devDir(c.Context, c.String("dir"))
	if err != nil {
		return err
	}
	defer forget()
	if c.IsSet("dir") {
		options.Dir = filepath.Join(dir, "data")
	}
	stack, err := devstack.Start(options)
	var taken *net.OpError
	switch {
	case errors.Is(err, devstack.ErrAddress):
		return app.Usage(c, "%v", err)
	case errors.As(err, &taken) && taken.Op == "listen":
		return &provider.Error{Kind: provider.ErrConfig, Message: err.Error(), Err: err, Hint: "is another program there? Port 0 is a free one"}
	}
	if err != nil {
		return err
	}
	err = devInside(c, stack, dir)
	if closeErr := stack.Close(); err == nil {
		err = closeErr
	}
	return err
}

func devOptions(c *cli.Context) (devstack.Options, error) {
	options := devstack.Options{
		Address: c.String("listen"), Auth0Address: c.String("auth0-listen"), TokenLifetime: c.Duration("token-lifetime"), Faults: c.StringSlice("fault"),
		RateLimits: c.Bool("rate-limits"),
	}
	switch system := c.String("ci"); {
	case system == "none":
	case slices.Contains(ci.Systems(), system):
		options.CI = system
	default:
		return options, app.Usage(c, "--ci %q: no such system: want %s, or none", system, strings.Join(ci.Systems(), ", "))
	}
	if d := options.TokenLifetime; d < 0 {
		return options, app.Usage(c, "--token-lifetime %s is negative", d)
	}
	for _, name := range options.Faults {
		if !slices.ContainsFunc(devstack.Faults(), func(f fault.Fault) bool { return f.Name == name }) {
			return options, app.Usage(c, "--fault %q: no such fault; zen dev --list-faults explains all", name)
		}
	}
	if path := c.String("seed"); path != "" {
		var err error
		if options.Seed, err = devstack.LoadSeed(path); err != nil {
			return options, &provider.Error{Kind: provider.ErrConfig, Message: err.Error()}
		}
	}
	if app.GlobalBool(c, "debug") {
		options.Logger = slog.New(slog.NewTextHandler(c.App.ErrWriter, nil))
	}
	return options, nil
}

// devDir is the directory of the configuration, a temporary one without --dir, which
// forget removes. Those of stacks that were killed go, too.
func devDir(ctx context.Context, dir string) (path string, forget func(), err error) {
	if dir == "" {
		const prefix = "zen-dev-"
		private.SweepDirs(ctx, os.TempDir(), prefix, time.Now())
		temporary, err := private.MakeDir("", prefix)
		if err != nil {
			return "", nil, err
		}
		return temporary.Path, temporary.Remove, nil
	}
	path, err = filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	return path, func() {}, err
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
	ctx, stop := signal.NotifyContext(c.Context, app.EndSignals()...) // before anybody is told to send one
	defer stop()
	if err := printEnvironment(app.EnvOf(c), stack, environment); err != nil {
		return err
	}
	fmt.Fprintf(app.Notes(c), "The stack is ready: its page is %s/. Ctrl-C stops it.\n", stack.URL())
	<-ctx.Done()
	return nil
}

func printEnvironment(e *app.Env, stack *devstack.Stack, environment []devstack.Variable) error {
	if e.JSON {
		variables := map[string]string{}
		for _, v := range environment {
			variables[v.Name] = v.Value
		}
		return e.PrintJSON(struct {
			SchemaVersion int               `json:"schema_version"`
			URL           string            `json:"url"`
			Environment   map[string]string `json:"environment"`
		}{app.SchemaVersion, stack.URL(), variables})
	}
	for _, v := range environment {
		if _, err := fmt.Fprintf(e.Out, "export %s='%s'\n", v.Name, strings.ReplaceAll(v.Value, "'", `'\''`)); err != nil {
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
				return app.Usage(c, "give one URL")
			}
			ctx, cancel := context.WithTimeout(c.Context, visitTimeout)
			defer cancel()
			return visit(ctx, c)
		},
	}
}
