package signin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/zen"
)

func profilesUseCommand() *cli.Command {
	return &cli.Command{
		Name:      "use",
		Usage:     "use a profile from now on, or another of its sign-ins",
		ArgsUsage: "[NAME]",
		Description: `Writes default_profile into your configuration file, and changes nothing else in it.
With --provider, the profile switches to the stored sign-in of that provider, and
keeps the others. Without NAME, it is the profile in use.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "provider", Usage: "use the stored sign-in of the provider `NAME`"},
		},
		Action: func(c *cli.Context) error {
			if err := app.NoMoreThan(c, 1); err != nil {
				return err
			}
			if c.NArg() == 0 && !c.IsSet("provider") {
				return app.Usage(c, "which profile? zen profiles list shows them")
			}
			return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
				return UseOptions{Profile: c.Args().First(), Provider: c.String("provider")}.Run(c.Context, app.EnvOf(c), client)
			})
		},
	}
}

// UseOptions are the flags of zen profiles use.
type UseOptions struct {
	// Profile is used from now on; "" leaves that as it is.
	Profile string
	// Provider is the provider whose stored sign-in the profile uses from now on; "" leaves that.
	Provider string
}

// Run uses a profile from now on, or another provider's sign-in in it.
func (o UseOptions) Run(ctx context.Context, e *app.Env, client *zen.Client) error {
	name := o.Profile
	s, err := client.Session(name)
	if err != nil {
		return err
	}
	if chosen := o.Provider; chosen != "" {
		account, err := s.Use(ctx, chosen)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.Notes(), "Profile %q uses %s as %s.\n", s.Profile(), chosen, accountName(account))
		tellForcedProvider(e, s, chosen)
	}
	if name != "" {
		if err := useFromNowOn(e, client, name); err != nil {
			return err
		}
	}
	if !e.JSON {
		return nil
	}
	return e.PrintJSON(struct {
		SchemaVersion int    `json:"schema_version"`
		Profile       string `json:"profile"`
		Provider      string `json:"provider,omitempty"`
	}{app.SchemaVersion, s.Profile(), o.Provider})
}

func useFromNowOn(e *app.Env, client *zen.Client, name string) error {
	if err := client.Config.SetDefaultProfile(name); err != nil {
		return err
	}
	fmt.Fprintf(e.Notes(), "Profile %q is in use from now on.\n", name)
	switch by := client.Config.Selected(); by.Origin.Kind {
	case config.KindFlag, config.KindEnvironment, config.KindProjectFile:
		if by.Value != name {
			fmt.Fprintf(e.Notes(), "But %s says %s, and goes before it.\n", app.OneLine(by.Origin.String()), by.Value)
		}
	}
	return nil
}
