//go:build !front

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

// browserAllowed reports whether a browser may be opened: a person need not be at
// the terminal for that, but nobody may have said that there is none.
func browserAllowed(c *cli.Context) bool {
	return !globalBool(c, "no-input") && !c.Bool("no-browser") && (!truthy(os.Getenv("CI")) || os.Getenv("BROWSER") != "")
}

func truthy(s string) bool { return s != "" && s != "0" && s != "false" }
