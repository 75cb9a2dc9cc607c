package app

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/zen-auth/zen/internal/terminal"
)

// Width returns the number of characters in a line of a terminal, or 0 if w is none.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !terminal.Is(w) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
