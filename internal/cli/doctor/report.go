package doctor

import (
	"bytes"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/private"
)

// writeReport writes the report, for its owner alone: it has no secret in it, and may
// have more than a person wants to show.
func writeReport(c *cli.Context, o doctor.Options, findings []doctor.Finding) error {
	var text bytes.Buffer
	r := doctor.Report{Version: app.Version(), Now: time.Now(), Anonymous: c.Bool("anonymous")}
	if err := r.Write(c.Context, &text, o, findings); err != nil {
		return err
	}
	path := c.String("report")
	if err := private.Replace(path, text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	fmt.Fprintf(app.Notes(c), "The report is in %s. It has no secret in it; read it before you send it.\n", app.OneLine(path))
	return nil
}
