package signin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/session"
)

func profilesDeleteCommand() *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "sign a profile out, and remove what is stored of it",
		ArgsUsage: "NAME",
		Description: `Revokes the credentials of every provider of the profile at their issuers, and
removes what is stored here whatever they answer. The configuration stays.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "don't ask"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return app.Usage(c, "name one profile; zen profiles list shows them")
			}
			return client.With(c.Context, app.EnvOf(c), func(client *core.Client) error { return deleteProfile(c, client, c.Args().First()) })
		},
	}
}

func deleteProfile(c *cli.Context, client *core.Client, name string) error {
	stored, err := client.Store.List()
	if err != nil {
		return err
	}
	configured := slices.Contains(client.Config.ProfileNames(), name)
	switch {
	case !slices.Contains(stored, name) && configured:
		fmt.Fprintf(app.Notes(c), "Nothing is stored of profile %q; its configuration in %s stays.\n", name, client.Config.Paths.ConfigFile)
		return nil
	case !slices.Contains(stored, name):
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("no profile %.60q", name), Hint: "zen profiles list"}
	}
	if err := confirmDelete(c, name); err != nil {
		return err
	}
	// A profile that is no longer configured has its credentials revoked, too.
	s := session.New(session.Config{
		Profile: cache.Profile{Name: name, SettingsHash: client.Config.SettingsHash}, Store: client.Store, Providers: client.Providers,
	})
	results, err := s.Logout(c.Context, true)
	if err != nil {
		err = fmt.Errorf("revoke the credentials of profile %q: %w", name, err)
	}
	failed := errors.Join(err, reportSignedOut(c, name, results))
	if err := client.Store.Delete(c.Context, name); err != nil {
		return errors.Join(failed, err)
	}
	fmt.Fprintf(app.Notes(c), "Removed what was stored of profile %q.\n", name)
	if configured {
		fmt.Fprintf(app.Notes(c), "Its configuration in %s stays.\n", client.Config.Paths.ConfigFile)
	}
	return failed
}

func confirmDelete(c *cli.Context, name string) error {
	if c.Bool("yes") {
		return nil
	}
	if !app.EnvOf(c).Interactive() {
		return &provider.Error{Kind: app.ErrUsage, Message: fmt.Sprintf("nobody can be asked whether to delete profile %q", name), Hint: "zen profiles delete --yes " + name}
	}
	answer, err := app.NewUI(app.EnvOf(c)).Ask(c.Context, fmt.Sprintf("Sign out of profile %s, and remove what is stored of it? Type yes or no", name))
	if err == nil && !strings.EqualFold(answer, "yes") {
		err = errors.New("nothing was deleted")
	}
	return err
}
