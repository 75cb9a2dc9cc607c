package app

import (
	"os"

	"github.com/urfave/cli/v2"
)

// Interactive reports whether somebody can be asked.
func Interactive(c *cli.Context) bool {
	return !GlobalBool(c, "no-input") && !truthy(os.Getenv("CI")) &&
		IsTerminal(c.App.Reader) && IsTerminal(c.App.ErrWriter)
}

func truthy(s string) bool { return s != "" && s != "0" && s != "false" }
