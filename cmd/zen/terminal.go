package main

import (
	"os"

	"github.com/urfave/cli/v2"
)

// interactive reports whether somebody can be asked.
func interactive(c *cli.Context) bool {
	return !globalBool(c, "no-input") && !truthy(os.Getenv("CI")) &&
		isTerminal(c.App.Reader) && isTerminal(c.App.ErrWriter)
}

func truthy(s string) bool { return s != "" && s != "0" && s != "false" }
