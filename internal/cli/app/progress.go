package app

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/terminal"
)

// Slowly runs fn and, when it takes more than a second, says on a terminal what is
// being waited for. The line is gone when fn returns.
func (e *Env) Slowly(text string, fn func() error) error {
	out := e.Notes()
	if !terminal.Is(out) {
		return fn()
	}
	ended, shown := make(chan struct{}), make(chan bool, 1)
	go func() {
		select {
		case <-ended:
			shown <- false
		case <-time.After(time.Second):
			fmt.Fprintf(out, "zen: %s...", text)
			shown <- true
		}
	}()
	err := fn()
	close(ended)
	if <-shown {
		fmt.Fprint(out, clearLine(out))
	}
	return err
}

// Slowly is [Env.Slowly] for the command of c.
func Slowly(c *cli.Context, text string, fn func() error) error { return EnvOf(c).Slowly(text, fn) }

// clearLine begins a line anew on a terminal, where slowly may have written on it.
func clearLine(out io.Writer) string {
	if !terminal.Is(out) {
		return ""
	}
	return "\r\x1b[K"
}
