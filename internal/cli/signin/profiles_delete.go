package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/zen"
)

func profilesDeleteCommand() *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "sign out of a profile, and remove what is stored for it",
		ArgsUsage: "NAME",
		Description: `Revokes the credentials of all the profile's providers at their issuers, and removes
what is stored here, whatever the issuers answer. The configuration is kept.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "don't ask"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return app.Usage(c, "name one profile; zen profiles list shows them")
			}
			return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
				return DeleteOptions{Profile: c.Args().First(), Yes: c.Bool("yes")}.Run(c.Context, app.EnvOf(c), client)
			})
		},
	}
}

// DeleteOptions are the flags of zen profiles delete.
type DeleteOptions struct {
	Profile string
	// Yes asks no question.
	Yes bool
}

// Run signs the profile out, and removes what is stored of it.
func (o DeleteOptions) Run(ctx context.Context, e *app.Env, client *zen.Client) error {
	name := o.Profile
	stored, err := client.Store.List()
	if err != nil {
		return err
	}
	configured := slices.Contains(client.Config.ProfileNames(), name)
	switch {
	case !slices.Contains(stored, name) && configured:
		fmt.Fprintf(e.Notes(), "Nothing is stored of profile %q; its configuration in %s stays.\n", name, client.Config.Paths.ConfigFile)
		return nil
	case !slices.Contains(stored, name):
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("no profile %.60q", name), Hint: "zen profiles list"}
	}
	if err := o.confirm(ctx, e); err != nil {
		return err
	}
	// A profile that is no longer configured has its credentials revoked, too.
	s := session.New(session.Config{
		Profile: cache.Profile{Name: name, SettingsHash: client.Config.SettingsHash}, Store: client.Store, Providers: client.Providers,
	})
	results, err := s.Logout(ctx, true)
	if err != nil {
		err = fmt.Errorf("revoke the credentials of profile %q: %w", name, err)
	}
	failed := errors.Join(err, reportSignedOut(ctx, e, name, results))
	if err := client.Store.Delete(ctx, name); err != nil {
		return errors.Join(failed, err)
	}
	fmt.Fprintf(e.Notes(), "Removed what was stored of profile %q.\n", name)
	if configured {
		fmt.Fprintf(e.Notes(), "Its configuration in %s stays.\n", client.Config.Paths.ConfigFile)
	}
	return failed
}

func (o DeleteOptions) confirm(ctx context.Context, e *app.Env) error {
	if o.Yes {
		return nil
	}
	if !e.Interactive() {
		return &provider.Error{Kind: app.ErrUsage, Message: fmt.Sprintf("there is no one to confirm that profile %q is to be deleted", o.Profile), Hint: "zen profiles delete --yes " + o.Profile}
	}
	yes, err := app.NewUI(e).Agrees(ctx, fmt.Sprintf("Sign out of profile %s, and remove what is stored of it?", o.Profile))
	if err == nil && !yes {
		err = errors.New("nothing was deleted")
	}
	return err
}
