// Package jwks has the commands for the key sets that are registered at Turso.
package jwks

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/httpclient"
	keys "github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/cli/platform"
	"github.com/zen-auth/zen/internal/doctor"
)

// Command is zen jwks.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "jwks",
		Usage: "the key sets whose tokens Turso accepts",
		Description: `An organization registers the key sets of its identity provider at Turso: tokens that
their keys signed open its databases. The commands need an API token in
TURSO_API_TOKEN, and ask about the organization of [providers.platformtoken].`,
		Subcommands: []*cli.Command{listCommand(), saveCommand(), removeCommand(), templateCommand(), checkCommand()},
	}
}

func organizationFlag() cli.Flag {
	return &cli.StringFlag{Name: "org", Usage: "ask about the organization `SLUG`"}
}

// with opens the Platform API for a command.
func with(c *cli.Context, fn func(*core.Client, platform.API) error) error {
	return client.With(c.Context, app.EnvOf(c), func(client *core.Client) error {
		api, err := platform.Open(client, c.String("org"))
		if err != nil {
			return err
		}
		return fn(client, api)
	})
}

// explain gives an error of the API its class.
func explain(err error) error {
	if err == nil || provider.Kind(err) != nil {
		return err
	}
	return &provider.Error{Kind: doctor.APIKind(err), Message: err.Error(), Hint: provider.Hint(err), Err: err}
}

type setDocument struct {
	Name   string   `json:"name"`
	URL    string   `json:"url"`
	Region string   `json:"region,omitempty"`
	Issues []string `json:"issues"`
}

func listCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "the registrations, and what is wrong with them", Flags: []cli.Flag{organizationFlag()},
		Action: func(c *cli.Context) error {
			if err := app.NoMoreThan(c, 0); err != nil {
				return err
			}
			return with(c, func(_ *core.Client, api platform.API) error {
				sets, err := api.KeySets(c.Context, api.Organization)
				if err != nil {
					return explain(err)
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

// idsOf are the ids of the findings that name a registration.
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
		Name: "save", Usage: "register a key set, or replace the one of that name", ArgsUsage: "NAME URL",
		Description: `   zen jwks save clerk https://clerk.example.com/.well-known/jwks.json

The key set is fetched first, and the list is read again before the registration is
believed. One of an issuer that anybody can have tokens of (GitHub, GitLab, Google) is
refused: Turso reads their tokens as access to every database.`,
		Flags: []cli.Flag{
			organizationFlag(),
			&cli.StringFlag{Name: "region", Usage: "register it for `REGION`; Turso chooses where it isn't given"},
			&cli.BoolFlag{Name: "anybody-may-open-all-databases", Usage: "register the key set of a public issuer all the same"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 || c.Args().Get(0) == "" || c.Args().Get(1) == "" {
				return app.Usage(c, "give a name and the URL of a key set")
			}
			return with(c, func(_ *core.Client, api platform.API) error { return save(c, api) })
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
		failure := explain(err)
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
		return explain(err)
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

Each removal is believed only once the list lacks it. Where Turso answers with an error
of its own, as it does beyond the limit of registrations, every region is tried.`,
		Flags: []cli.Flag{
			organizationFlag(),
			&cli.StringFlag{Name: "region", Usage: "remove it from `REGION` alone"},
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
				return app.Usage(c, "--all asks, and nobody can be asked here: add --yes")
			}
			return with(c, func(_ *core.Client, api platform.API) error { return remove(c, api) })
		},
	}
}

func remove(c *cli.Context, api platform.API) error {
	names := c.Args().Slice()
	if c.Bool("all") {
		sets, err := api.KeySets(c.Context, api.Organization)
		if err != nil {
			return explain(err)
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

func templateCommand() *cli.Command {
	return &cli.Command{
		Name: "template", Usage: "the claims that an issuer has to put into tokens for the profile's database",
		Description: `   zen jwks template
   zen jwks template --for auth0 --access ro

They are Turso's own, for this database. For Clerk they are the claims of a JWT
template, for Auth0 an Action of the trigger post-login.`,
		Flags: []cli.Flag{
			organizationFlag(),
			&cli.StringFlag{Name: "for", Usage: "write it for `ISSUER`: clerk, auth0 or json", Value: "clerk"},
			&cli.StringFlag{Name: "access", Usage: "for tokens of `ACCESS`: ro or rw"},
			&cli.StringFlag{Name: "database", Usage: "for the database `NAME` (default: the profile's)"},
		},
		Action: func(c *cli.Context) error {
			if err := app.NoMoreThan(c, 0); err != nil {
				return err
			}
			if !slices.Contains([]string{"clerk", "auth0", "json"}, c.String("for")) {
				return app.Usage(c, "--for %q is not clerk, auth0 or json", c.String("for"))
			}
			if core.IsName(c.String("database")) {
				app.EnvOf(c).Config.Flags.Database = "" // Turso is asked by that name; no provider need look it up
			}
			return with(c, func(client *core.Client, api platform.API) error { return template(c, client, api) })
		},
	}
}

func template(c *cli.Context, client *core.Client, api platform.API) error {
	profile, err := client.Config.Profile("")
	if err != nil {
		return err
	}
	access, err := provider.ParseAccess(cmp.Or(c.String("access"), string(profile.Access.Value), "rw"))
	if err != nil {
		return app.Usage(c, "--access: %v", err)
	}
	name := c.String("database")
	if !core.IsName(name) {
		if name, err = databaseName(c.Context, api, profile.Database.Value, profile.DatabaseID.Value); err != nil {
			return err
		}
	}
	authorization := turso.FullAccess
	if access == provider.AccessReadOnly {
		authorization = turso.ReadOnly
	}
	var permissions []turso.Permission
	for _, p := range profile.Permissions.Value {
		actions := make([]string, len(p.Actions))
		for i, a := range p.Actions {
			actions[i] = string(a)
		}
		permissions = append(permissions, turso.Permission{Tables: p.Tables, Actions: actions})
	}
	claims, err := api.Template(c.Context, api.Organization, turso.TemplateOptions{Database: name, Authorization: authorization, Permissions: permissions})
	if err != nil {
		return explain(err)
	}
	return printTemplate(c, claims)
}

// databaseName finds the name of a database by its URL or id.
func databaseName(ctx context.Context, api platform.API, url, id string) (string, error) {
	for d, err := range api.Databases(ctx, api.Organization, turso.DatabaseFilter{}) {
		if err != nil {
			return "", explain(err)
		}
		if d.ID == id || d.URL() == url {
			return d.Name, nil
		}
	}
	return "", &provider.Error{Kind: provider.ErrConfig, Message: "the organization has no database of the profile's URL or id", Hint: "zen db list shows those that it has"}
}

// printTemplate writes Turso's claims in the form that the issuer takes.
func printTemplate(c *cli.Context, claims json.RawMessage) error {
	var object map[string]any
	if err := json.Unmarshal(claims, &object); err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	if app.GlobalBool(c, "json") || c.String("for") == "json" {
		return app.PrintJSON(c, struct {
			SchemaVersion int            `json:"schema_version"`
			Claims        map[string]any `json:"claims"`
		}{app.SchemaVersion, object})
	}
	if c.String("for") == "clerk" {
		return app.WriteJSON(c.App.Writer, object)
	}
	var b strings.Builder
	b.WriteString("exports.onExecutePostLogin = async (event, api) => {\n")
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, err := json.Marshal(object[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  api.accessToken.setCustomClaim(%q, %s);\n", name, value)
	}
	b.WriteString("};\n")
	_, err := io.WriteString(c.App.Writer, b.String())
	return err
}

func checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "whether a token's key is in a registration", ArgsUsage: "[-]",
		Description: `   zen jwks check
   zen token | zen jwks check -

Without an argument the token is the profile's. Each registration is fetched as Turso
would fetch it.`,
		Flags: []cli.Flag{organizationFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 || c.NArg() == 1 && c.Args().First() != "-" {
				return app.Usage(c, "a token comes from standard input: zen jwks check -")
			}
			return with(c, func(client *core.Client, api platform.API) error { return check(c, client, api) })
		},
	}
}

type checkDocument struct {
	SchemaVersion int             `json:"schema_version"`
	KeyID         string          `json:"key_id"`
	Issuer        string          `json:"issuer"`
	HeldBy        []string        `json:"held_by"`
	KeySets       []checkedKeySet `json:"key_sets"`
}

type checkedKeySet struct {
	Name  string   `json:"name"`
	URL   string   `json:"url"`
	Holds bool     `json:"holds_key"`
	Keys  []string `json:"keys"`
	Error string   `json:"error,omitempty"`
}

func check(c *cli.Context, client *core.Client, api platform.API) error {
	token, err := tokenOf(c, client)
	if err != nil {
		return err
	}
	claims, err := keys.DecodeUnverified(token)
	if err != nil {
		return err
	}
	if claims.Issuer == "" {
		return &provider.Error{Kind: provider.ErrConfig, Message: "this token was signed by Turso itself, and needs no registration", Hint: "zen explain - says more of it"}
	}
	sets, err := api.KeySets(c.Context, api.Organization)
	if err != nil {
		return explain(err)
	}
	d := checkDocument{SchemaVersion: app.SchemaVersion, KeyID: app.OneLine(claims.KeyID), Issuer: app.OneLine(claims.Issuer), HeldBy: []string{}, KeySets: []checkedKeySet{}}
	for _, s := range sets {
		checked := checkedKeySet{Name: app.OneLine(s.Name), URL: app.OneLine(s.URL), Keys: []string{}}
		found, err := doctor.FetchKeys(c.Context, httpclient.Client(), s.URL)
		if err != nil {
			checked.Error = app.OneLine(err.Error())
		}
		for _, k := range found {
			checked.Keys = append(checked.Keys, app.OneLine(k.ID))
			checked.Holds = checked.Holds || k.ID == claims.KeyID
		}
		if checked.Holds {
			d.HeldBy = append(d.HeldBy, checked.Name)
		}
		d.KeySets = append(d.KeySets, checked)
	}
	if err := printCheck(c, d); err != nil {
		return err
	}
	if len(d.HeldBy) == 0 {
		return &provider.Error{
			Kind: provider.ErrRejected, Message: fmt.Sprintf("no registration has the key of this token (kid %s, issuer %s)", d.KeyID, d.Issuer),
			Hint: "zen jwks save NAME URL registers the issuer's key set",
		}
	}
	return nil
}

func printCheck(c *cli.Context, d checkDocument) error {
	if app.GlobalBool(c, "json") {
		return app.PrintJSON(c, d)
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tHAS THE KEY\tKEYS")
	for _, s := range d.KeySets {
		holds := map[bool]string{true: "yes", false: "no"}[s.Holds]
		what := strings.Join(s.Keys, ", ")
		if s.Error != "" {
			holds, what = "unknown", s.Error
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, holds, what)
	}
	return table.Flush()
}

// tokenOf reads the token from standard input, or gets the profile's.
func tokenOf(c *cli.Context, client *core.Client) (provider.Secret, error) {
	if c.NArg() == 1 {
		return app.EnvOf(c).ReadToken(c.Context)
	}
	session, err := client.Session("")
	if err != nil {
		return provider.Secret{}, err
	}
	token, err := session.TokenFor(c.Context, 0)
	return token.Value, err
}
