// Package terminal tells whether a person is there. Front and zen-full have to agree: how
// long the process that renews waits for a keyring depends on it, and of two that don't, each
// would have a renewal made.
package terminal

import (
	"os"

	"golang.org/x/term"
)

// Is reports whether a stream is a terminal.
func Is(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Interactive reports whether a person can be asked, at in and err. noInput says that it was
// forbidden.
func Interactive(noInput bool, in, err any) bool {
	return !noInput && !InCI() && Is(in) && Is(err)
}

// InCI reports whether the environment says that a machine runs this.
func InCI() bool {
	ci := os.Getenv("CI")
	return ci != "" && ci != "0" && ci != "false"
}
