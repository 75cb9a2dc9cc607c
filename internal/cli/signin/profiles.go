package signin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/zen"
)

func ProfilesCommand() *cli.Command {
	return &cli.Command{
		Name:  "profiles",
		Usage: "manage profiles: several accounts and databases, side by side",
		Description: `Each profile has its own database, provider and sign-in. zen uses the profile that
--profile names, or else ZEN_PROFILE, default_profile in .zen.toml, or default_profile
in your own file; if none of these is set, it uses "default". To use another profile
for one command, for one shell, or from now on:

   zen token --profile reports
   export ZEN_PROFILE=reports
   zen profiles use reports

A profile keeps the sign-ins of several providers. Going back to an earlier one needs
no browser:

   zen login --provider platformtoken
   zen profiles use --provider clerk`,
		Subcommands: []*cli.Command{
			{
				Name:        "list",
				Usage:       "list the profiles that are configured, or have a sign-in stored",
				Description: "Reads only files: no keyring, no network, no provider.",
				Action: func(c *cli.Context) error {
					return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error { return listProfiles(app.EnvOf(c), client) })
				},
			},
			profilesAddCommand(), profilesUseCommand(), profilesDeleteCommand(),
		},
	}
}

type profilesDocument struct {
	SchemaVersion int            `json:"schema_version"`
	Selected      string         `json:"selected"`
	SelectedBy    string         `json:"selected_by"`
	Profiles      []profileEntry `json:"profiles"`
}

type profileEntry struct {
	Name       string `json:"name"`
	Selected   bool   `json:"selected"`
	Configured bool   `json:"configured"`
	Database   string `json:"database,omitempty"`
	Access     string `json:"access,omitempty"`
	// Provider is the one in use, Account and ExpiresAt those of its sign-in.
	Provider     string     `json:"provider,omitempty"`
	SignedIn     bool       `json:"signed_in"`
	Account      string     `json:"account,omitempty"`
	ExpiresAt    *time.Time `json:"expires_at"`
	AlsoSignedIn []string   `json:"also_signed_in"`
	Storage      string     `json:"storage,omitempty"`
	Problem      string     `json:"problem,omitempty"`
}

// maxListed limits the number of profiles that are listed. Each that is signed in has files
// of its own to read: this many take about a second, and a configuration holds fewer.
const maxListed = 20_000

func listProfiles(e *app.Env, client *zen.Client) error {
	stored, err := client.Store.List()
	if err != nil {
		return err
	}
	selected := client.Config.Selected()
	d := profilesDocument{SchemaVersion: app.SchemaVersion, Selected: selected.Value, SelectedBy: selected.Origin.String()}
	configured := client.Config.ProfileNames()
	names := slices.Concat(configured, stored)
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > maxListed {
		return &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("there are %d profiles, and %d are listed at most", len(names), maxListed),
			Hint:    "zen status --profile NAME shows one of them; with ZEN_STATE_DIR each service has a directory of its own",
		}
	}
	for _, name := range names {
		entry := profileEntry{Name: name, Selected: name == selected.Value}
		_, entry.Configured = slices.BinarySearch(configured, name)
		entry.describe(client)
		d.Profiles = append(d.Profiles, entry)
	}
	if e.JSON {
		return e.PrintJSON(d)
	}
	if !slices.Contains(names, selected.Value) {
		fmt.Fprintf(e.Notes(), "%s names profile %q, which isn't there.\n", app.OneLine(selected.Origin.String()), selected.Value)
	}
	return writeProfiles(e, d)
}

// describe fills in what is known of a profile without its secrets.
func (e *profileEntry) describe(client *zen.Client) {
	e.AlsoSignedIn = []string{}
	var p config.Profile
	if e.Configured {
		var err error
		if p, err = client.Config.Profile(e.Name); err != nil {
			e.Problem = app.OneLine(err.Error())
		}
		e.Database, e.Access = p.Database.Value, string(p.Access.Value)
	}
	meta, err := client.Store.Meta(e.Name)
	switch {
	case err != nil:
		e.Problem = app.OneLine(err.Error())
	case meta.Doubt != nil:
		e.Problem = app.OneLine(meta.Doubt.Error())
	}
	e.Provider, e.Storage = providerInUse(p, meta), string(meta.Storage)
	for name, account := range meta.Accounts {
		if name != e.Provider {
			e.AlsoSignedIn = append(e.AlsoSignedIn, name)
			continue
		}
		e.SignedIn, e.Account, e.ExpiresAt = true, account.Account, app.Instant(account.Expires)
	}
	slices.Sort(e.AlsoSignedIn)
}

// providerInUse follows session.Open: what is said for this run, the last login, the
// files.
func providerInUse(p config.Profile, meta store.Meta) string {
	forced := p.Provider.Origin.Kind == config.KindFlag || p.Provider.Origin.Kind == config.KindEnvironment
	if meta.Provider == "" || forced {
		return p.Provider.Value
	}
	return meta.Provider
}

// writeProfiles writes the answer for people: a star before the profile in use, and after
// its provider the others that it has a sign-in of.
func writeProfiles(e *app.Env, d profilesDocument) error {
	table := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  PROFILE\tPROVIDER\tACCOUNT\tEXPIRES\tSTORAGE\tDATABASE")
	for _, p := range d.Profiles {
		mark, account, expires := " ", "not signed in", "-"
		if p.Selected {
			mark = "*"
		}
		if p.SignedIn {
			account = dash(app.OneLine(p.Account))
		}
		if p.ExpiresAt != nil {
			expires = app.Local(p.ExpiresAt)
		}
		providers := strings.Join(append([]string{dash(p.Provider)}, p.AlsoSignedIn...), " +")
		fmt.Fprintf(table, "%s %s\t%s\t%s\t%s\t%s\t%s\n", mark, p.Name, providers, account, expires, dash(p.Storage), dash(p.Database))
		if p.Problem != "" {
			fmt.Fprintf(e.Notes(), "%s: %s\n", p.Name, p.Problem)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if d.SelectedBy == string(config.KindDefault) {
		d.SelectedBy = "nothing names another"
	}
	fmt.Fprintf(e.Notes(), "Profile %q is in use: %s.\n", d.Selected, app.OneLine(d.SelectedBy))
	return nil
}

func dash(text string) string {
	return cmp.Or(text, "-")
}
