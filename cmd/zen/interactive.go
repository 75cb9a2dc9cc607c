//go:build !front

package main

import (
	"os"

	"github.com/urfave/cli/v2"
)

// answerable reports whether a sign-in can be finished: a person need not be at the
// terminal for that, but nobody may have said that there is none.
func answerable(c *cli.Context) bool {
	return !globalBool(c, "no-input") && (!truthy(os.Getenv("CI")) || os.Getenv("BROWSER") != "")
}

// browserAllowed reports whether a browser may be opened.
func browserAllowed(c *cli.Context) bool { return answerable(c) && !c.Bool("no-browser") }
