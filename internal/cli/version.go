package cli

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/handshake"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(c *cli.Context) error {
			if err := app.NoMoreThan(c, 0); err != nil {
				return err
			}
			version, revision := app.BuildVersion()
			if app.GlobalBool(c, "json") {
				return app.PrintJSON(c, struct {
					SchemaVersion int    `json:"schema_version"`
					Version       string `json:"version"`
					Revision      string `json:"revision,omitempty"`
					Go            string `json:"go"`
					Platform      string `json:"platform"`
					Protocol      int    `json:"provider_protocol"`
				}{app.SchemaVersion, version, revision, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, handshake.ProtocolVersion})
			}
			if revision != "" {
				version += " (" + revision + ")"
			}
			_, err := fmt.Fprintf(c.App.Writer, "zen %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
