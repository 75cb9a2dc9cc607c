package provider

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
)

func providerInfoCommand() *cli.Command {
	return &cli.Command{
		Name:         "info",
		Usage:        "show what a provider says of itself: what it does, and its settings",
		ArgsUsage:    "NAME",
		Description:  "It starts the provider, if it may run, and touches no network.",
		Action:       providerInfo,
		BashComplete: completeInstalled,
	}
}

type fieldDocument struct {
	Key       string   `json:"key"`
	Type      string   `json:"type"`
	Required  bool     `json:"required"`
	Sensitive bool     `json:"sensitive"`
	Default   string   `json:"default,omitempty"`
	Env       []string `json:"env,omitempty"`
	Doc       string   `json:"doc,omitempty"`
}

func newFieldDocument(f provider.Field) fieldDocument {
	return fieldDocument{f.Key, string(f.Type), f.Required, f.Sensitive, f.Default, f.Env, f.Doc}
}

func providerInfo(c *cli.Context) error {
	name, err := oneArgument(c, "NAME")
	if err != nil {
		return err
	}
	return client.With(c, func(client *core.Client) error {
		description, err := client.Providers.Describe(c.Context, name)
		if err != nil {
			return err
		}
		verified, err := verifyProvider(client, name)
		var overridden *errOverridden
		if err != nil && !errors.As(err, &overridden) {
			return err
		}
		verified.Version = description.Version
		services := []string{}
		for _, service := range description.Services {
			services = append(services, string(service))
		}
		fields := []fieldDocument{}
		for _, f := range description.Fields {
			fields = append(fields, newFieldDocument(f))
		}
		if app.GlobalBool(c, "json") {
			return app.PrintJSON(c, struct {
				SchemaVersion int `json:"schema_version"`
				binaryDocument
				Services []string        `json:"services"`
				Fields   []fieldDocument `json:"settings"`
			}{app.SchemaVersion, verified.binaryDocument, services, fields})
		}
		noteScript(c, verified.Name, verified.Interpreter)
		return printInfo(c.App.Writer, verified.binaryDocument, services, fields)
	})
}

// printInfo draws text from the provider: none of it may reach the terminal as it
// is.
func printInfo(w io.Writer, b binaryDocument, services []string, fields []fieldDocument) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"provider", b.Name}, {"version", b.Version}, {"services", strings.Join(services, " ")},
		{"binary", b.Path}, {"sha256", b.SHA256}, {"known", b.Known},
	} {
		fmt.Fprintf(table, "%s\t%s\n", row[0], app.OneLine(row[1]))
	}
	for i, f := range fields {
		if i == 0 {
			fmt.Fprintln(table)
		}
		var notes []string
		if f.Required {
			notes = append(notes, "required")
		}
		if f.Sensitive {
			notes = append(notes, "secret")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", app.OneLine(f.Key), f.Type, strings.Join(notes, ", "), app.OneLine(f.Doc))
	}
	return table.Flush()
}
