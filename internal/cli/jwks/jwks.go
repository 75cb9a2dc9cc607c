// Package jwks has the commands for the key sets that are registered at Turso.
package jwks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/cli/platform"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/zen"
)

// Command is zen jwks.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "jwks",
		Usage: "manage the key sets that are registered with Turso",
		Description: `An organization registers the key sets of its identity providers with Turso, which then
accepts tokens signed by these keys for its databases. The commands need an API token in
TURSO_API_TOKEN, and use the organization in [providers.platformtoken].`,
		Subcommands: []*cli.Command{listCommand(), saveCommand(), removeCommand(), templateCommand(), checkCommand()},
	}
}

func organizationFlag() cli.Flag {
	return &cli.StringFlag{Name: "org", Usage: "use the organization `SLUG`"}
}

// with opens the Platform API for a command.
func with(c *cli.Context, fn func(*zen.Client, platform.API) error) error {
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		api, err := platform.Open(client, c.String("org"))
		if err != nil {
			return err
		}
		return fn(client, api)
	})
}

// remember has zen doctor tell later what Turso refused of a change of registrations.
func remember(c *cli.Context, client *zen.Client, command string, err error) {
	var refused *turso.Error
	if session, failed := client.Session(""); failed == nil && (err == nil || errors.As(err, &refused)) {
		app.EnvOf(c).Remember(c.Context, session, command, err)
	}
}

type setDocument struct {
	Name   string   `json:"name"`
	URL    string   `json:"url"`
	Region string   `json:"region,omitempty"`
	Issues []string `json:"issues"`
}

func listCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list the registrations, and what is wrong with them", Flags: []cli.Flag{organizationFlag()},
		Action: func(c *cli.Context) error {
			return with(c, func(_ *zen.Client, api platform.API) error {
				sets, err := api.KeySets(c.Context, api.Organization)
				if err != nil {
					return doctor.APIError(err)
				}
				return printSets(c, sets)
			})
		},
	}
}

func printSets(c *cli.Context, sets []turso.KeySet) error {
	issues := doctor.CheckKeySets(sets, false)
	if app.GlobalBool(c, "json") {
		document := struct {
			SchemaVersion int           `json:"schema_version"`
			Limit         int           `json:"limit"`
			KeySets       []setDocument `json:"key_sets"`
			Issues        []string      `json:"issues"`
		}{app.SchemaVersion, doctor.JWKSLimit, []setDocument{}, []string{}}
		for _, s := range sets {
			document.KeySets = append(document.KeySets, setDocument{app.OneLine(s.Name), app.OneLine(s.URL), app.OneLine(s.Region), idsOf(issues, s.Name)})
		}
		for _, f := range issues {
			document.Issues = append(document.Issues, f.ID)
		}
		return app.PrintJSON(c, document)
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tURL\tREGION")
	for _, s := range sets {
		fmt.Fprintf(table, "%s\t%s\t%s\n", app.OneLine(s.Name), app.OneLine(s.URL), app.OneLine(s.Region))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, f := range issues {
		fmt.Fprintf(app.Notes(c), "%s: %s\n", f.ID, app.OneLine(f.Observed))
	}
	return nil
}

// idsOf returns the ids of the findings that name a registration.
func idsOf(findings []doctor.Finding, name string) []string {
	ids := []string{}
	for _, f := range findings {
		if strings.Contains(f.Observed, fmt.Sprintf("%q", name)) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func saveCommand() *cli.Command {
	return &cli.Command{
		Name: "save", Usage: "register a key set, or replace the one with that name", ArgsUsage: "NAME URL",
		Description: `   zen jwks save clerk https://clerk.example.com/.well-known/jwks.json

zen fetches the key set first, and afterwards checks that Turso lists the registration.
It refuses key sets of issuers whose tokens anyone can get (GitHub, GitLab, Google):
Turso treats such tokens as access to every database.`,
		Flags: []cli.Flag{
			organizationFlag(),
			&cli.StringFlag{Name: "region", Usage: "register it for `REGION` (default: Turso's choice)"},
			&cli.BoolFlag{Name: "anybody-may-open-all-databases", Usage: "register the key set of a public issuer nevertheless"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 || c.Args().Get(0) == "" || c.Args().Get(1) == "" {
				return app.Usage(c, "give a name and the URL of a key set")
			}
			return with(c, func(client *zen.Client, api platform.API) error {
				err := save(c, api)
				remember(c, client, "jwks save", err)
				return err
			})
		},
	}
}

func save(c *cli.Context, api platform.API) error {
	set := turso.KeySet{Name: c.Args().Get(0), URL: c.Args().Get(1), Region: c.String("region")}
	if issuer := doctor.PublicIssuer(set.URL); issuer != "" && !c.Bool("anybody-may-open-all-databases") {
		return &provider.Error{
			Kind:    provider.ErrPermission,
			Message: fmt.Sprintf("this is the key set of %s: everybody with an account there could open every database of the organization", issuer),
			Hint:    "CI signs in with zen login --provider oidc, with platformtoken or openbao as the token provider",
		}
	}
	if _, err := doctor.FetchKeys(c.Context, httpclient.Client(), set.URL); err != nil {
		return err
	}
	if err := api.SaveKeySet(c.Context, api.Organization, set); err != nil {
		failure := doctor.APIError(err)
		if strings.Contains(err.Error(), "jwks count limit") {
			return &provider.Error{
				Kind: provider.Kind(failure), Message: failure.Error(), Err: failure,
				Hint: "zen jwks list shows what is registered, and zen jwks remove NAME makes room",
			}
		}
		return failure
	}
	sets, err := api.KeySets(c.Context, api.Organization)
	if err != nil {
		return doctor.APIError(err)
	}
	if !slices.ContainsFunc(sets, func(s turso.KeySet) bool { return s.Name == set.Name && s.URL == set.URL }) {
		return &provider.Error{Kind: provider.ErrUnavailable, Message: "Turso said that the key set is saved, and does not list it", Hint: "zen jwks list, and try again"}
	}
	if app.GlobalBool(c, "json") {
		return app.PrintJSON(c, struct {
			SchemaVersion int         `json:"schema_version"`
			Saved         setDocument `json:"saved"`
		}{app.SchemaVersion, setDocument{set.Name, set.URL, set.Region, []string{}}})
	}
	fmt.Fprintf(app.Notes(c), "saved %s\n", app.OneLine(set.Name))
	return nil
}

func removeCommand() *cli.Command {
	return &cli.Command{
		Name: "remove", Usage: "remove registrations", ArgsUsage: "NAME...",
		Description: `   zen jwks remove "Clerk Production"
   zen jwks remove --all

A registration counts as removed once Turso no longer lists it. If Turso answers with a
server error, as it does above the limit of registrations, zen tries every region.`,
		Flags: []cli.Flag{
			organizationFlag(),
			&cli.StringFlag{Name: "region", Usage: "remove it only from `REGION`"},
			&cli.BoolFlag{Name: "all", Usage: "remove all of them"},
			&cli.BoolFlag{Name: "yes", Usage: "with --all: don't ask"},
		},
		Action: func(c *cli.Context) error {
			switch {
			case c.Bool("all") && c.NArg() > 0:
				return app.Usage(c, "--all and names exclude each other")
			case !c.Bool("all") && c.NArg() == 0:
				return app.Usage(c, "give the names of registrations, or --all")
			case c.Bool("all") && !c.Bool("yes") && !app.EnvOf(c).Interactive():
				return app.Usage(c, "--all asks first, and there is no one to answer: add --yes")
			}
			return with(c, func(client *zen.Client, api platform.API) error { return remove(c, client, api) })
		},
	}
}

func remove(c *cli.Context, client *zen.Client, api platform.API) error {
	names := c.Args().Slice()
	if c.Bool("all") {
		sets, err := api.KeySets(c.Context, api.Organization)
		if err != nil {
			return doctor.APIError(err)
		}
		for _, s := range sets {
			names = append(names, s.Name)
		}
		if !c.Bool("yes") {
			yes, err := app.NewUI(app.EnvOf(c)).Confirm(c.Context, fmt.Sprintf("Remove %d registrations? No token of theirs opens a database then", len(names)))
			if err != nil || !yes {
				return errors.Join(err, app.Usage(c, "nothing was removed"))
			}
		}
	}
	var region *string
	if c.IsSet("region") {
		value := c.String("region")
		region = &value
	}
	removed := []string{}
	var failed error
	for _, name := range names {
		err := doctor.RemoveKeySet(c.Context, api.Client, api.Organization, name, region, func(step string) {
			fmt.Fprintln(app.Notes(c), app.OneLine(step))
		})
		remember(c, client, doctor.RemoveCommand(name), err)
		if err == nil {
			removed = append(removed, name)
		} else if failed == nil {
			failed = err
		}
	}
	if app.GlobalBool(c, "json") && failed == nil {
		return app.PrintJSON(c, struct {
			SchemaVersion int      `json:"schema_version"`
			Removed       []string `json:"removed"`
		}{app.SchemaVersion, removed})
	}
	return failed
}
