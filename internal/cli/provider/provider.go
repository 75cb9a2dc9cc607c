// Package provider has the commands about the provider programs.
package provider

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/install"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/zen"
)

func Command() *cli.Command {
	return &cli.Command{
		Name:  "provider",
		Usage: "manage the provider programs",
		Description: `A provider is a program zen-provider-NAME beside zen or in the provider directory. It
runs only if its SHA-256 is known: zen contains those of its own providers, and
zen.lock in the state directory lists those of others.`,
		Subcommands: []*cli.Command{
			{
				Name:  "list",
				Usage: "list the providers that can be found",
				Description: `Lists each copy of a provider, whether it is trusted, and its version, which is known if
it has run or came with zen. If two have the same name, the first one runs. Listing
starts no provider. With --outdated, zen lists only copies for which this machine has
something newer: another copy, or the file that it was installed from. It doesn't look
for new versions on the network.`,
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "outdated", Usage: "list only the copies for which there is something newer on this machine"},
				},
				Action: providerList,
			},
			providerInfoCommand(), providerInstallCommand(), providerVerifyCommand(), providerTrustCommand(),
			providerRollbackCommand(), providerRemoveCommand(), providerTestCommand(), providerNewCommand(),
			providerDevCommand(), providerSetupCommand(),
		},
	}
}

type providerDocument struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Error string `json:"error,omitempty"`
	// Override says that Path was named by zen provider dev, or the environment.
	Override bool `json:"override,omitempty"`
	// Version is the copy's own, if it has run; Known says how its sum is known, or no.
	Version string `json:"version,omitempty"`
	Known   string `json:"known,omitempty"`
	// Shadowed says that another copy of the name is found first.
	Shadowed bool `json:"shadowed,omitempty"`
	// Outdated says what is newer, where that was asked for.
	Outdated string `json:"outdated,omitempty"`

	sum, source string
}

func providerList(c *cli.Context) error {
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		providers, err := copies(client)
		if err != nil {
			return err
		}
		if c.Bool("outdated") {
			providers = outdated(providers)
		}
		if app.GlobalBool(c, "json") {
			return app.PrintJSON(c, struct {
				SchemaVersion int                `json:"schema_version"`
				Providers     []providerDocument `json:"providers"`
			}{app.SchemaVersion, providers})
		}
		if len(providers) == 0 && c.Bool("outdated") {
			fmt.Fprintln(app.Notes(c), "No copy has anything newer on this machine. Of downloads, their authors know.")
		} else if len(providers) == 0 {
			fmt.Fprintln(app.Notes(c), "No provider was found beside zen or in "+client.Config.Paths.ProviderDir+".")
		}
		var rows bytes.Buffer
		table := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', 0)
		if len(providers) > 0 {
			fmt.Fprintln(table, "NAME\tVERSION\tTRUST\tPATH\tNOTE")
		}
		for _, p := range providers {
			note := p.Error
			switch {
			case p.Outdated != "":
				note = app.OneLine(p.Outdated)
			case p.Override:
				note = "override: " + cmp.Or(p.Error, "not checked")
			case note == "" && p.Shadowed:
				note = "not used: another copy is found first"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.Name, cmp.Or(app.OneLine(p.Version), "-"), trusted(p), app.OneLine(p.Path), note)
		}
		_ = table.Flush() // into memory
		for line := range strings.Lines(rows.String()) {
			if _, err := fmt.Fprintln(c.App.Writer, strings.TrimRight(line, " \n")); err != nil {
				return err
			}
		}
		return nil
	})
}

// listed returns the installed providers, and what overrides one.
func listed(client *zen.Client) ([]providerDocument, error) {
	overrides, err := client.Providers.Overriding()
	if err != nil {
		return nil, err
	}
	providers := []providerDocument{}
	for _, found := range client.Providers.List() {
		p := providerDocument{Name: found.Name, Path: found.Path}
		if found.Err != nil {
			p.Error = app.OneLine(found.Err.Error())
		}
		if overrides[p.Name] == "" {
			providers = append(providers, p)
		}
	}
	for name, path := range overrides {
		p := providerDocument{Name: name, Path: path, Override: true}
		if _, err := os.Stat(path); err != nil {
			p.Error = "it is not there"
		}
		providers = append(providers, p)
	}
	slices.SortFunc(providers, func(a, b providerDocument) int { return strings.Compare(a.Name, b.Name) })
	return providers, nil
}

// trusted says whether a copy may run, in a word or two.
func trusted(p providerDocument) string {
	switch p.Known {
	case "", "no":
		return "not trusted"
	}
	return "trusted (" + p.Known + ")"
}

// copies returns all copies of the installed providers, and what overrides one.
func copies(client *zen.Client) ([]providerDocument, error) {
	used, err := listed(client)
	if err != nil {
		return nil, err
	}
	all, first := []providerDocument{}, map[string]bool{}
	for _, p := range used {
		if p.Override {
			all = append(all, p)
			first[p.Name] = true
		}
	}
	for _, found := range client.Providers.All() {
		p := providerDocument{Name: found.Name, Path: found.Path, Known: "no", Shadowed: first[found.Name]}
		first[p.Name] = true
		if found.Err == nil {
			found.Err = p.look(client)
		}
		if found.Err != nil {
			p.Error = app.OneLine(found.Err.Error())
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b providerDocument) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// look finds out how a copy is known. That it isn't is no error.
func (p *providerDocument) look(client *zen.Client) error {
	binary, err := host.InspectFile(p.Name, p.Path)
	if err != nil {
		return err
	}
	pins := client.Providers.Pins
	known, err := pins.Known(binary)
	if err != nil {
		return nil
	}
	p.Known, p.Version, p.sum, p.source = known.Known, known.Version, binary.SHA256, known.Source
	if copied, ok, err := pins.Lock.CopyAt(p.Name, p.Path); err == nil && ok && p.Version == "" {
		p.Version = copied.Version
	}
	if p.Version == "" && p.Known == pin.Bundled {
		p.Version = app.Version() // of one build
	}
	return nil
}

// outdated returns the copies that something newer is on this machine for.
func outdated(all []providerDocument) []providerDocument {
	old := []providerDocument{}
	for _, p := range all {
		newest := p
		for _, other := range all {
			if other.Name == p.Name && other.Version != "" && newest.Version != "" && install.Older(newest.Version, other.Version) {
				newest = other
			}
		}
		_, isProvider := handshake.ProviderName(filepath.Base(p.source))
		from, err := host.InspectFile(p.Name, p.source)
		switch {
		case newest.Path != p.Path:
			p.Outdated = "older than " + newest.Version + ", " + newest.Path
		case isProvider && err == nil && p.source != p.Path && from.SHA256 != p.sum:
			p.Outdated = "changed since: zen provider install " + p.source
		default:
			continue
		}
		old = append(old, p)
	}
	return old
}

// completeInstalled offers the names of providers, and starts none.
func completeInstalled(c *cli.Context) {
	cli.DefaultCompleteWithFlags(c.Command)(c)
	if c.NArg() > 0 {
		return
	}
	_ = client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error { // what can't be offered isn't
		providers, err := listed(client)
		for _, p := range providers {
			fmt.Fprintln(c.App.Writer, p.Name)
		}
		return err
	})
}
