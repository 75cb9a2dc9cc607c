package app

import (
	"os"

	"github.com/urfave/cli/v2"
)

// Answerable reports whether a sign-in can be finished: a person need not be at the
// terminal for that, but nobody may have said that there is none.
func Answerable(c *cli.Context) bool {
	return !GlobalBool(c, "no-input") && (!truthy(os.Getenv("CI")) || os.Getenv("BROWSER") != "")
}

// browserAllowed reports whether a browser may be opened.
func browserAllowed(c *cli.Context) bool { return Answerable(c) && !c.Bool("no-browser") }
