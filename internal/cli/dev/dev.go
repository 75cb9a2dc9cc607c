// Package dev has the local stack, and the person who plays at its browser.
package dev

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	"github.com/zen-auth/zen/devstack/team"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/replace"
	"github.com/zen-auth/zen/internal/terminal"
	"github.com/zen-auth/zen/internal/tokenform"
)

// visitTimeout limits how long zen dev browse may take, as long as zen login waits for it.
const visitTimeout = 5 * time.Minute

func Command() *cli.Command {
	return &cli.Command{
		Name:      "dev",
		Usage:     "run a local Clerk, Auth0, OpenID issuer, CI, Turso and app",
		ArgsUsage: "[-- COMMAND [ARGUMENT...]]",
		Description: `Everything that zen needs, on the loopback and without an account: a Clerk
instance, an Auth0 tenant and an OpenID issuer with the users alice and bob, an
app with a bridge page, a CI system whose job is the command, and Turso's Platform API
with the organization acme and its database app. --seed FILE starts with other users,
organizations and databases instead.

   zen dev -- bash              a shell inside: zen login, zen db shell, exit
   zen dev -- make test         any command inside; the stack stops with it
   zen dev                      run until Ctrl-C; prints the variables to export
   zen dev --fault jwks-stuck   start with something that fails
   zen dev --team               with an OpenBao that issues the tokens: docs/teams.md
   zen dev fault jwks-stuck off switch a fault off, inside, while the stack runs

Its web page shows users, databases, tokens and the latest requests, and has switches
for the faults.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "listen on the loopback `ADDRESS`; port 0 is a free one (default: a free port, or the one that --dir keeps)"},
			&cli.StringFlag{Name: "auth0-listen", Usage: "have the Auth0 tenant listen on the loopback `ADDRESS` (default: as with --listen)"},
			&cli.StringFlag{Name: "dir", Usage: "keep databases, registrations, keys, the port and configuration in `DIR`", TakesFile: true},
			&cli.StringFlag{Name: "seed", Usage: "start with the users, organizations and databases of `FILE` (TOML)", TakesFile: true},
			&cli.StringSliceFlag{Name: "fault", Usage: "start with the fault `NAME` on; may be repeated"},
			&cli.BoolFlag{Name: "team", Usage: "also start an OpenBao that holds Turso's API token: alice gets a token for her organization's database with rw, bob with ro, and a CI job with ro"},
			&cli.BoolFlag{Name: "list-faults", Usage: "explain the faults and exit"},
			&cli.StringFlag{Name: "ci", Usage: "make the command a job of `SYSTEM`: " + strings.Join(ci.Systems(), ", ") + ", or none", Value: "github"},
			&cli.DurationFlag{Name: "latency", Usage: "delay each answer by `D`, as a network does"},
			&cli.BoolFlag{Name: "rate-limits", Usage: "have Clerk limit the rate of requests, with 429 and Retry-After as the real one does"},
			&cli.DurationFlag{Name: "token-lifetime", Usage: "have Clerk's template tokens live for `DURATION`", DefaultText: "1m0s"},
		},
		Action: func(c *cli.Context) error {
			if c.Bool("list-faults") {
				return listFaults(c)
			}
			return Options{
				Listen: c.String("listen"), Auth0Listen: c.String("auth0-listen"), Dir: c.String("dir"), Seed: c.String("seed"),
				Faults: c.StringSlice("fault"), Team: c.Bool("team"), CI: c.String("ci"), RateLimits: c.Bool("rate-limits"),
				TokenLifetime: c.Duration("token-lifetime"), Latency: c.Duration("latency"), Command: c.Args().Slice(),
			}.Run(c.Context, app.EnvOf(c))
		},
		Subcommands: []*cli.Command{devFaultCommand(), devBrowseCommand(), devMailCommand()},
	}
}

// Options are the flags of zen dev.
type Options struct {
	// Listen and Auth0Listen are loopback addresses; "" means a free port, or the one that
	// Dir keeps.
	Listen, Auth0Listen string
	// Dir keeps databases, registrations, keys, the port and the configuration; "" means a
	// directory that goes with the stack.
	Dir string
	// Seed is a file that declares what there is at the start.
	Seed string
	// Faults are on from the start.
	Faults []string
	// Team starts an OpenBao beside the stack.
	Team bool
	// CI is the system that the command is a job of, or "none".
	CI            string
	RateLimits    bool
	TokenLifetime time.Duration
	// Latency delays each answer.
	Latency time.Duration
	// Command is run inside, and the stack stops with it; if empty, the stack runs
	// until it is interrupted.
	Command []string
}

// Run runs the stack.
func (o Options) Run(ctx context.Context, e *app.Env) error {
	options, err := o.stack(e)
	if err != nil {
		return err
	}
	dir, forget, err := devDir(ctx, o.Dir)
	if err != nil {
		return err
	}
	defer forget()
	if o.Dir != "" {
		options.Dir = filepath.Join(dir, "data")
	}
	stack, err := devstack.Start(options)
	var taken *net.OpError
	switch {
	case errors.Is(err, devstack.ErrAddress):
		return e.Usage("%v", err)
	case errors.As(err, &taken) && taken.Op == "listen":
		return &provider.Error{Kind: provider.ErrConfig, Message: err.Error(), Err: err, Hint: "is another program there? Port 0 is a free one"}
	case err != nil:
		return err
	}
	var beside *team.Team
	if o.Team {
		beside, err = startTeam(ctx, stack, dir)
	}
	if err == nil {
		err = o.inside(ctx, e, stack, beside, dir)
	}
	if beside != nil {
		err = cmp.Or(err, beside.Close())
	}
	return cmp.Or(err, stack.Close())
}

// stack returns the options of the stack itself.
func (o Options) stack(e *app.Env) (devstack.Options, error) {
	options := devstack.Options{
		Address: o.Listen, Auth0Address: o.Auth0Listen, TokenLifetime: o.TokenLifetime, Latency: o.Latency, Faults: o.Faults, RateLimits: o.RateLimits,
	}
	switch {
	case o.CI == "none":
	case slices.Contains(ci.Systems(), o.CI):
		options.CI = o.CI
	default:
		return options, e.Usage("--ci %q: no such system: want %s, or none", o.CI, strings.Join(ci.Systems(), ", "))
	}
	if o.TokenLifetime < 0 {
		return options, e.Usage("--token-lifetime %s is negative", o.TokenLifetime)
	}
	if o.Latency < 0 {
		return options, e.Usage("--latency %s is negative", o.Latency)
	}
	for _, name := range o.Faults {
		if !slices.ContainsFunc(devstack.Faults(), func(f fault.Fault) bool { return f.Name == name }) {
			return options, e.Usage("--fault %q: no such fault; zen dev --list-faults explains all", name)
		}
	}
	if o.Seed != "" {
		var err error
		if options.Seed, err = devstack.LoadSeed(o.Seed); err != nil {
			return options, &provider.Error{Kind: provider.ErrConfig, Message: err.Error()}
		}
	}
	if e.Debug {
		options.Logger = slog.New(slog.NewTextHandler(e.Err, nil))
	}
	return options, nil
}

// devDir returns the directory of the configuration, a temporary one without --dir, which
// forget removes. Those of stacks that were killed go, too.
func devDir(ctx context.Context, dir string) (path string, forget func(), err error) {
	if dir == "" {
		const prefix = "zen-dev-"
		private.SweepDirs(ctx, os.TempDir(), prefix, time.Now(), nil)
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

// inside prints the environment and waits, or runs a command in it.
func (o Options) inside(ctx context.Context, e *app.Env, stack *devstack.Stack, beside *team.Team, dir string) error {
	environment, err := stack.Environment(dir)
	if err != nil {
		return err
	}
	if environment, err = teamEnvironment(beside, dir, environment); err != nil {
		return err
	}
	if len(o.Command) > 0 {
		self, err := replace.Self()
		if err != nil {
			return err
		}
		// In zen's own environment, so that the command itself is found there, too.
		path := filepath.Dir(self) + string(os.PathListSeparator) + os.Getenv("PATH")
		if err := os.Setenv("PATH", path); err != nil {
			return err
		}
		// Where no browser opens, the person at it is played.
		played := ""
		if o.Seed == "" && !app.BrowserOpens() {
			played = " as " + devstack.User
			environment = append(environment, devstack.Variable{Name: "BROWSER", Value: "zen dev browse --user " + devstack.User})
		}
		if terminal.Is(e.In) && terminal.Is(e.Err) {
			fmt.Fprintf(e.Notes(), "Inside the stack, whose page is %s/: zen login signs you in%s, exit stops it.\n", stack.URL(), played)
		}
		return runInside(ctx, o.Command, environment, e.In, e.Out, e.Err)
	}
	ctx, stop := signal.NotifyContext(ctx, app.EndSignals()...) // before the user is told to send one
	defer stop()
	if err := printEnvironment(e, stack, environment); err != nil {
		return err
	}
	fmt.Fprintf(e.Notes(), "The stack is ready: its page is %s/. Ctrl-C stops it.\n", stack.URL())
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
		if _, err := io.WriteString(e.Out, tokenform.ShellLine(os.Getenv("SHELL"), v.Name, v.Value)); err != nil {
			return err
		}
	}
	return nil
}

func devBrowseCommand() *cli.Command {
	return &cli.Command{
		Name:      "browse",
		Usage:     "act as the person at the browser",
		ArgsUsage: "URL",
		Description: `Opens the URL, signs in if a page asks for it, and presses its button. With

   export BROWSER="zen dev browse --user alice"

zen login works without a display.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "user", Usage: "act as `USER`: an e-mail address, or the part before its @", Value: devstack.User},
			&cli.BoolFlag{Name: "verbose", Usage: "print each step: the request, and where it led"},
			&cli.StringFlag{Name: "password", Usage: "type `PASSWORD`; for development users only: other passwords don't belong on a command line"},
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
