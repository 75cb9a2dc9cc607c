//go:build !front

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
		Description: `A provider is a program zen-provider-NAME beside zen, or in the provider
directory. It runs only if its SHA-256 is known: zen knows those that it comes
with; for others, zen.lock in the state directory says which may run.`,
		Subcommands: []*cli.Command{
			{
				Name:        "list",
				Usage:       "list the providers that can be found",
				Description: "Listing starts none of them.",
				Action:      providerList,
			},
			providerInfoCommand(), providerInstallCommand(), providerVerifyCommand(), providerTrustCommand(),
			providerRollbackCommand(), providerRemoveCommand(), providerTestCommand(), providerNewCommand(),
		},
	}
}

type providerDocument struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Error string `json:"error,omitempty"`
}

func providerList(c *cli.Context) error {
	if err := noMoreThan(c, 0); err != nil {
		return err
	}
	return withClient(c, func(client *core.Client) error {
		var providers []providerDocument
		for _, found := range client.Providers.List() {
			p := providerDocument{Name: found.Name, Path: found.Path}
			if found.Err != nil {
				p.Error = oneLine(found.Err.Error())
			}
			providers = append(providers, p)
		}
		if globalBool(c, "json") {
			return printJSON(c, struct {
				SchemaVersion int                `json:"schema_version"`
				Providers     []providerDocument `json:"providers"`
			}{schemaVersion, append([]providerDocument{}, providers...)})
		}
		if len(providers) == 0 {
			fmt.Fprintln(notes(c), "No provider was found beside zen or in "+client.Config.Paths.ProviderDir+".")
		}
		table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
		for _, p := range providers {
			fmt.Fprintf(table, "%s\t%s\t%s\n", p.Name, p.Path, p.Error)
		}
		return table.Flush()
	})
}
