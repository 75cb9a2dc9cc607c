package provider

import (
	"cmp"
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/zen"
)

func providerVerifyCommand() *cli.Command {
	return &cli.Command{
		Name:         "verify",
		Usage:        "check that the providers match their pins",
		ArgsUsage:    "[NAME]",
		Description:  "Starts no provider. The exit code is 2 if one of them may not run.",
		Action:       providerVerify,
		BashComplete: completeInstalled,
	}
}

// overrideKnown is in place of how a binary is known, for what runs without a pin.
const overrideKnown = "override"

type verifiedDocument struct {
	binaryDocument
	Error string `json:"error,omitempty"`
}

func providerVerify(c *cli.Context) error {
	if err := app.NoMoreThan(c, 1); err != nil {
		return err
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		names := []string{c.Args().First()}
		if c.NArg() == 0 {
			providers, err := listed(client)
			if err != nil {
				return err
			}
			names = nil
			for _, p := range providers {
				names = append(names, p.Name)
			}
		}
		documents, bad := []verifiedDocument{}, []error{}
		for _, name := range names {
			document, err := verifyProvider(client, name)
			if c.NArg() > 0 && document.Path == "" { // there is nothing to say anything of
				return err
			}
			if err != nil {
				document.Error = app.OneLine(err.Error())
				bad = append(bad, err)
			}
			documents = append(documents, document)
		}
		if err := printVerified(app.EnvOf(c), documents); err != nil {
			return err
		}
		switch len(bad) {
		case 0:
			return nil
		case 1:
			return bad[0]
		}
		return &provider.Error{
			Kind: provider.ErrNoProvider, Message: fmt.Sprintf("%d of %d providers may not run", len(bad), len(documents)),
		}
	})
}

func verifyProvider(client *zen.Client, name string) (verifiedDocument, error) {
	overrides, err := client.Providers.Overriding()
	if err != nil {
		return verifiedDocument{binaryDocument: binaryDocument{Name: name}}, err
	}
	if path := overrides[name]; path != "" {
		return verifiedDocument{binaryDocument: binaryDocument{Name: name, Path: path, Known: overrideKnown}}, &errOverridden{name, path}
	}
	binary, err := host.Inspect(client.Providers.Dirs, name)
	if err != nil {
		return verifiedDocument{binaryDocument: binaryDocument{Name: name}}, err
	}
	known, err := client.Providers.Pins.Known(binary)
	document := newBinaryDocument(binary, known)
	if known.Known == "" {
		document.Known = "no"
	}
	return verifiedDocument{binaryDocument: document}, err
}

func printVerified(e *app.Env, documents []verifiedDocument) error {
	if e.JSON {
		return e.PrintJSON(struct {
			SchemaVersion int                `json:"schema_version"`
			Providers     []verifiedDocument `json:"providers"`
		}{app.SchemaVersion, documents})
	}
	table := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	for _, d := range documents {
		verdict := cmp.Or(d.Error, "ok")
		fmt.Fprintf(table, "%s\t%s\t%.16s\t%s\n", d.Name, d.Known, d.SHA256, verdict)
	}
	return table.Flush()
}
