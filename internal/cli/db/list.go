package db

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/zen"
)

func dbListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the databases of the organization",
		Description: `   zen db list
   zen db list --json

The list comes from a provider that can look up databases, such as platformtoken with
TURSO_API_TOKEN or a sign-in. Other commands take a name from it instead of a URL:
zen db query --database NAME.`,
		Action: func(c *cli.Context) error {
			return client.With(c.Context, app.EnvOf(c), func(z *zen.Client) error { return list(c, z) })
		},
	}
}

type databaseDocument struct {
	Name          string `json:"name"`
	URL           string `json:"url"`
	ID            string `json:"id"`
	Organization  string `json:"organization,omitempty"`
	Group         string `json:"group,omitempty"`
	Region        string `json:"region,omitempty"`
	BlockedReads  bool   `json:"blocked_reads"`
	BlockedWrites bool   `json:"blocked_writes"`
}

func documentOf(d provider.Database) databaseDocument {
	return databaseDocument{
		app.OneLine(d.Name), app.OneLine(d.Target.URL), app.OneLine(d.Target.DatabaseID), app.OneLine(d.Organization),
		app.OneLine(d.Group), app.OneLine(d.Region), d.BlockedReads, d.BlockedWrites,
	}
}

func list(c *cli.Context, z *zen.Client) error {
	found, err := z.Databases(c.Context)
	if err != nil {
		return err
	}
	databases := []databaseDocument{}
	for _, d := range found {
		databases = append(databases, documentOf(d))
	}
	if app.GlobalBool(c, "json") {
		return app.PrintJSON(c, struct {
			SchemaVersion int                `json:"schema_version"`
			Databases     []databaseDocument `json:"databases"`
		}{app.SchemaVersion, databases})
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tURL\tID\tGROUP\tREGION")
	for _, d := range databases {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", d.Name, d.URL, d.ID, d.Group, d.Region)
	}
	return table.Flush()
}

// find returns the database of a name.
func find(ctx context.Context, z *zen.Client, name string) (provider.Database, error) {
	databases, err := z.Databases(ctx)
	if err != nil {
		return provider.Database{}, err
	}
	if i := slices.IndexFunc(databases, func(d provider.Database) bool { return d.Name == name }); i >= 0 {
		return databases[i], nil
	}
	return provider.Database{}, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("there is no database %q", name), Hint: "zen db list shows them"}
}
