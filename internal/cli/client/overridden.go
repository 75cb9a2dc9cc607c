package client

import (
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/handshake"
)

// warnOverridden warns also with --quiet, which is for answers that are as they should be.
func warnOverridden(stderr io.Writer) func(name, path string) {
	return func(name, path string) {
		what, end := "an unchecked program", "zen provider dev stop "+name
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
			what, end = "a process that zen did not start", end+", and unset "+handshake.ReattachKey
		}
		fmt.Fprintf(stderr, "%s provider %s is %s: %s\n         to end that: %s\n",
			app.Paint(stderr, app.Yellow, "warning:"), name, what, app.OneLine(path), end)
	}
}
