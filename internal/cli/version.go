package cli

import (
	"fmt"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/handshake"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version, how zen was built, and its providers",
		Description: `With --verify, the providers beside zen are compared with the checksums that zen was
built with; the exit code is 2 if one is missing or different. Nothing is started, and
the configuration isn't read.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "verify", Usage: "compare the providers with the checksums that zen was built with"},
		},
		Action: version,
	}
}

// versionDocument is the answer of zen version --json.
type versionDocument struct {
	SchemaVersion int    `json:"schema_version"`
	Version       string `json:"version"`
	Commit        string `json:"commit,omitempty"`
	// Time is the time of the commit, in RFC 3339.
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Replicas says that replicas and local databases are in it.
	Replicas bool     `json:"replicas"`
	Tags     []string `json:"tags"`
	Protocol int      `json:"provider_protocol"`
	// Providers are the providers that this zen was built with.
	Providers []client.BundledProvider `json:"providers"`
}

func version(c *cli.Context) error {
	e, build, verify := app.EnvOf(c), app.BuildInfo(), c.Bool("verify")
	if !e.JSON {
		if err := printVersion(e, build); err != nil || !verify {
			return err
		}
	}
	providers, err := client.BundledProviders()
	if err != nil {
		return fmt.Errorf("find the providers beside zen: %w", err)
	}
	if e.JSON {
		d := versionDocument{
			app.SchemaVersion, build.Version, build.Commit, "", build.Modified, runtime.Version(),
			runtime.GOOS + "/" + runtime.GOARCH, replica.Linked, build.Tags, handshake.ProtocolVersion, providers,
		}
		if !build.Time.IsZero() {
			d.Time = build.Time.UTC().Format(time.RFC3339)
		}
		err = e.PrintJSON(d)
	} else {
		err = printBundled(e, providers)
	}
	if err != nil || !verify {
		return err
	}
	return client.VerifyBundled(providers)
}

func printVersion(e *app.Env, build app.Build) error {
	name := build.Version
	if build.Commit != "" {
		name += fmt.Sprintf(" (%.12s)", build.Commit)
	}
	_, err := fmt.Fprintf(e.Out, "zen %s %s %s/%s\n", name, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func printBundled(e *app.Env, providers []client.BundledProvider) error {
	table := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	for _, p := range providers {
		fmt.Fprintf(table, "%s\t%.16s\t%s\n", p.Name, p.SHA256, p.State)
	}
	return table.Flush()
}
