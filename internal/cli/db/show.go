package db

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/cli/platform"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/zen"
)

func dbShowCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show a database's URL, id, size and limits", ArgsUsage: "NAME",
		Description: `   zen db show app

Size, usage and limits come from Turso, with the API token in TURSO_API_TOKEN (the
scope read is enough).`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 || c.Args().First() == "" {
				return app.Usage(c, "give the name of a database; zen db list shows them")
			}
			return client.With(c.Context, app.EnvOf(c), func(z *zen.Client) error { return show(c, z) })
		},
	}
}

// accountDocument is Turso's description of a database beside its URL.
type accountDocument struct {
	Archived         bool     `json:"archived"`
	DeleteProtection bool     `json:"delete_protection"`
	SizeLimit        string   `json:"size_limit,omitempty"`
	AllowedNetworks  []string `json:"allowed_networks"`
	SizeBytes        uint64   `json:"size_bytes"`
	RowsRead         uint64   `json:"rows_read"`
	RowsWritten      uint64   `json:"rows_written"`
	BytesSynced      uint64   `json:"bytes_synced"`
	Plan             string   `json:"plan"`
	Overages         bool     `json:"overages"`
	// Limits are the plan's, for all databases of the organization; 0 means none.
	Limits limitsDocument `json:"limits"`
}

type limitsDocument struct {
	SizeBytes   uint64 `json:"size_bytes"`
	RowsRead    uint64 `json:"rows_read"`
	RowsWritten uint64 `json:"rows_written"`
	BytesSynced uint64 `json:"bytes_synced"`
}

func show(c *cli.Context, z *zen.Client) error {
	found, err := find(c.Context, z, c.Args().First())
	if err != nil {
		return err
	}
	account, err := accountOf(c, z, found)
	if errors.Is(err, platform.ErrNoToken) {
		fmt.Fprintln(app.Notes(c), "Size and limits are shown with an API token in TURSO_API_TOKEN (the scope read is enough).")
	} else if err != nil {
		return err
	}
	d := documentOf(found)
	if app.GlobalBool(c, "json") {
		return app.PrintJSON(c, struct {
			SchemaVersion int `json:"schema_version"`
			databaseDocument
			*accountDocument
		}{app.SchemaVersion, d, account})
	}
	blocked := "nothing"
	switch {
	case d.BlockedReads:
		blocked = "reads and writes"
	case d.BlockedWrites:
		blocked = "writes"
	}
	rows := append([][2]string{
		{"name", d.Name}, {"url", d.URL}, {"id", d.ID}, {"organization", d.Organization}, {"group", d.Group}, {"region", d.Region}, {"blocked", blocked},
	}, account.rows()...)
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	return table.Flush()
}

// accountOf asks Turso. The error is platform.ErrNoToken if there is nothing to ask
// with.
func accountOf(c *cli.Context, z *zen.Client, d provider.Database) (*accountDocument, error) {
	api, err := platform.Open(z, d.Organization)
	if err != nil {
		return nil, err
	}
	ctx, org := c.Context, api.Organization
	database, err := api.Database(ctx, org, d.Name)
	if err != nil {
		return nil, doctor.APIError(err)
	}
	configuration, err := api.Configuration(ctx, org, d.Name)
	if err != nil {
		return nil, doctor.APIError(err)
	}
	usage, err := api.DatabaseUsage(ctx, org, d.Name)
	if err != nil {
		return nil, doctor.APIError(err)
	}
	subscription, err := api.Subscription(ctx, org)
	if err != nil {
		return nil, doctor.APIError(err)
	}
	plans, err := api.Plans(ctx)
	if err != nil {
		return nil, doctor.APIError(err)
	}
	return accountFrom(database, configuration, usage, subscription, subscription.Quotas(plans)), nil
}

func accountFrom(d turso.Database, c turso.Configuration, u turso.Usage, s turso.Subscription, q turso.Quotas) *accountDocument {
	networks := []string{}
	for _, network := range append(c.AllowedIPs, c.AllowedVPCs...) {
		networks = append(networks, app.OneLine(network))
	}
	limit := app.OneLine(c.SizeLimit)
	if limit == "0" { // as Turso writes none
		limit = ""
	}
	return &accountDocument{
		Archived: d.Sleeping, DeleteProtection: c.DeleteProtection, SizeLimit: limit, AllowedNetworks: networks,
		SizeBytes: u.StorageBytes, RowsRead: u.RowsRead, RowsWritten: u.RowsWritten, BytesSynced: u.BytesSynced,
		Plan: app.OneLine(s.Plan), Overages: s.Overages, Limits: limitsDocument{q.Storage, q.RowsRead, q.RowsWritten, q.BytesSynced},
	}
}

// rows returns the lines that show it; none of nil.
func (a *accountDocument) rows() [][2]string {
	if a == nil {
		return nil
	}
	yes := map[bool]string{true: "yes", false: "no"}
	of := func(used, most string, limited bool) string {
		if !limited {
			return used
		}
		return used + " (the plan has " + most + ")"
	}
	bytes := func(used, most uint64) string { return of(humanize.Bytes(used), humanize.Bytes(most), most > 0) }
	count := func(used, most uint64) string {
		return of(humanize.Comma(int64(used)), humanize.Comma(int64(most)), most > 0) //nolint:gosec // no quota is near 2^63
	}
	plan := a.Plan
	if a.Overages {
		plan += ", overages are paid for"
	}
	return [][2]string{
		{"archived", yes[a.Archived]}, {"delete protection", yes[a.DeleteProtection]},
		{"size", bytes(a.SizeBytes, a.Limits.SizeBytes)}, {"size limit", a.SizeLimit},
		{"rows read", count(a.RowsRead, a.Limits.RowsRead)}, {"rows written", count(a.RowsWritten, a.Limits.RowsWritten)},
		{"bytes synced", bytes(a.BytesSynced, a.Limits.BytesSynced)}, {"allowed networks", strings.Join(a.AllowedNetworks, ", ")},
		{"plan", plan},
	}
}
