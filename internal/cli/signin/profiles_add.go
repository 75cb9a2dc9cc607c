package signin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/zen"
)

func profilesAddCommand() *cli.Command {
	var o AddOptions
	return &cli.Command{
		Name: "add", Usage: "write a new profile", ArgsUsage: "NAME",
		Description: `   zen profiles add reports --database app --provider clerk --access ro
   zen profiles add globex --database app-globex --provider clerk --org globex

With --org, the profile is limited to that organization: zen login signs in to it, and
the profile gets no tokens for others. With TURSO_API_TOKEN, the database may be given
by its name.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "database", Usage: "the database's `URL`, or its name", Destination: &o.Database},
			&cli.StringFlag{Name: "provider", Usage: "sign in with `PROVIDER`", Destination: &o.Provider},
			&cli.StringFlag{Name: "token-provider", Usage: "have `PROVIDER` issue the tokens", Destination: &o.TokenProvider},
			&cli.StringFlag{Name: "org", Usage: "limit the profile to the organization `ORG`, an id or slug", Destination: &o.Organization},
			&cli.StringFlag{Name: "access", Usage: "ask for `ACCESS`: ro or rw", Destination: &o.Access},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return app.Usage(c, "give the profile's name")
			}
			o.Name = c.Args().First()
			e := app.EnvOf(c)
			// They are the new profile's, not what this one is asked for.
			e.Config.Flags.Database, e.Config.Flags.Access = "", ""
			return client.With(c.Context, e, func(z *zen.Client) error { return o.Run(c.Context, e, z) })
		},
	}
}

// AddOptions are the flags of zen profiles add.
type AddOptions struct {
	Name, Database, Provider, TokenProvider, Organization, Access string
}

// Run writes the profile.
func (o AddOptions) Run(ctx context.Context, e *app.Env, z *zen.Client) error {
	switch _, err := z.Config.Profile(o.Name); {
	case !names.IsProfile(o.Name):
		return e.Usage("%.60q is not the name of a profile: names are up to 63 lower-case letters, digits, - and _", o.Name)
	case err == nil:
		return &provider.Error{Kind: app.ErrUsage, Message: fmt.Sprintf("there is a profile %s already", o.Name), Hint: "zen config set profiles." + o.Name + ".KEY VALUE changes it"}
	case o.Database == "":
		return e.Usage("which database? --database URL, or its name")
	}
	target := provider.Target{URL: o.Database}
	if zen.IsName(o.Database) {
		var err error
		if target, err = z.Resolve(ctx, o.Database); err != nil {
			return err
		}
	}
	var changes []config.Change
	for _, v := range []struct{ key, value string }{
		{"database", target.URL}, {"database_id", target.DatabaseID}, {"provider", o.Provider}, {"token_provider", o.TokenProvider},
		{"organization", o.Organization}, {"access", o.Access},
	} {
		if v.value != "" {
			changes = append(changes, config.Change{Key: "profiles." + o.Name + "." + v.key, Value: v.value})
		}
	}
	if _, _, err := z.Config.Apply(changes, false); err != nil {
		return err
	}
	fmt.Fprintf(e.Notes(), "Wrote profile %s into %s. Next: %s\n", o.Name, z.Config.Paths.ConfigFile, names.LoginCommand(o.Name))
	return nil
}
