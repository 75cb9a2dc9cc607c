package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
)

func providerCommand() *cli.Command {
	return &cli.Command{
		Name:  "provider",
		Usage: "the provider programs",
		Subcommands: []*cli.Command{{
			Name:  "list",
			Usage: "list the providers that can be used",
			Description: `A provider is a program zen-provider-NAME beside zen, or in the provider
directory. Listing starts none of them.`,
			Action: providerList,
		}},
	}
}

type providerDocument struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

func providerList(c *cli.Context) error {
	if err := noMoreThan(c, 0); err != nil {
		return err
	}
	return withClient(c, func(client *core.Client) error {
		binaries, err := client.Providers.List()
		if err != nil {
			return err
		}
		if globalBool(c, "json") {
			document := struct {
				SchemaVersion int                `json:"schema_version"`
				Providers     []providerDocument `json:"providers"`
			}{schemaVersion, []providerDocument{}}
			for _, b := range binaries {
				document.Providers = append(document.Providers, providerDocument{b.Name, b.Path})
			}
			return printJSON(c, document)
		}
		if len(binaries) == 0 {
			fmt.Fprintln(notes(c), "No provider was found beside zen or in "+client.Config.Paths.ProviderDir+".")
		}
		table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
		for _, b := range binaries {
			fmt.Fprintf(table, "%s\t%s\n", b.Name, b.Path)
		}
		return table.Flush()
	})
}
