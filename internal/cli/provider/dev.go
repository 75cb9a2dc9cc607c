package provider

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/zen"
)

func providerDevCommand() *cli.Command {
	return &cli.Command{
		Name:  "dev",
		Usage: "run a provider under development",
		Subcommands: []*cli.Command{
			{
				Name:      "override",
				Usage:     "run a provider from a path instead of the installed one",
				ArgsUsage: "NAME PATH",
				Description: `PATH is a program, which need not be pinned and may be built again and again, or
the socket of one that was started with ` + handshake.DebugKey + `=1, in a debugger for
example. zen says so at each use. Only this command, and for sockets the variable
` + handshake.ReattachKey + `, override a provider: a project file can't.`,
				Flags:        []cli.Flag{&cli.BoolFlag{Name: "force", Usage: "also a provider that zen comes with"}},
				Action:       providerOverride,
				BashComplete: completeInstalled,
			},
			{
				Name:         "stop",
				Usage:        "run the installed provider again",
				ArgsUsage:    "NAME",
				Description:  "The program itself is left where it is.",
				Action:       providerStop,
				BashComplete: completeInstalled,
			},
		},
	}
}

func providerOverride(c *cli.Context) error {
	if c.NArg() < 2 {
		return app.Usage(c, "NAME and PATH are needed")
	}
	if err := app.NoMoreThan(c, 2); err != nil {
		return err
	}
	name, path := c.Args().Get(0), c.Args().Get(1)
	if _, ok := handshake.ProviderName(handshake.BinaryName(name)); !ok {
		return &handshake.NameError{Name: name}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() && info.Mode()&fs.ModeSocket == 0 {
		return &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("override provider %s: %s is neither a program nor a socket", name, path),
			Hint: "build it first",
		}
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		if client.Providers.Pins.Bundled[name] != "" && !c.Bool("force") {
			return &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("override provider %s: zen comes with it, and whatever replaces it gets its credentials", name),
				Hint: "if it is zen's own provider that you write: --force",
			}
		}
		if err := client.Providers.Overrides.Set(c.Context, name, path); err != nil {
			return err
		}
		if app.GlobalBool(c, "json") {
			return app.PrintJSON(c, struct {
				SchemaVersion int    `json:"schema_version"`
				Name          string `json:"name"`
				Override      string `json:"override"`
			}{app.SchemaVersion, name, path})
		}
		fmt.Fprintf(app.Notes(c), "Provider %s is %s from now on, unchecked. To end that: zen provider dev stop %s\n", name, path, name)
		return nil
	})
}

func providerStop(c *cli.Context) error {
	name, err := oneArgument(c, "NAME")
	if err != nil {
		return err
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		found, err := client.Providers.Overrides.Remove(c.Context, name)
		if err != nil {
			return err
		}
		if !found {
			return &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("stop override: nothing overrides provider %.40q", name), Hint: "zen provider list",
			}
		}
		if app.GlobalBool(c, "json") {
			return app.PrintJSON(c, struct {
				SchemaVersion int    `json:"schema_version"`
				Stopped       string `json:"stopped"`
			}{app.SchemaVersion, name})
		}
		fmt.Fprintf(app.Notes(c), "Provider %s is the one that is installed again.\n", name)
		return nil
	})
}

// errOverridden is a provider that isn't the one that was pinned, on purpose.
type errOverridden struct{ name, path string }

func (e *errOverridden) Error() string {
	return fmt.Sprintf("provider %s is overridden by %s, which is not checked", e.name, e.path)
}

// ErrorID returns the error's name in JSON.
func (e *errOverridden) ErrorID() string { return "provider_overridden" }

func (e *errOverridden) Unwrap() error {
	return &provider.Error{Kind: provider.ErrNoProvider, Hint: "zen provider dev stop " + e.name}
}
