package db

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
)

// rowProgress tells on a terminal, once a second, how many rows have gone elsewhere.
type rowProgress struct {
	out  io.Writer // nil discards it
	next time.Time
	told bool
}

func newProgress(c *cli.Context) *rowProgress {
	p := &rowProgress{next: time.Now().Add(time.Second)}
	if out := app.Notes(c); app.IsTerminal(out) && !app.IsTerminal(c.App.Writer) {
		p.out = out
	}
	return p
}

// newImportProgress tells what goes the other way.
func newImportProgress(c *cli.Context) *rowProgress {
	p := &rowProgress{next: time.Now().Add(time.Second)}
	if out := app.Notes(c); app.IsTerminal(out) {
		p.out = out
	}
	return p
}

// tell is called for each row; only every thousandth looks at the clock.
func (p *rowProgress) tell(n int64) {
	if p.out != nil && n%1000 == 0 {
		p.tellNow(n)
	}
}

// tellNow is tell for what doesn't come row by row.
func (p *rowProgress) tellNow(n int64) {
	if p.out == nil || time.Now().Before(p.next) {
		return
	}
	p.next, p.told = p.next.Add(time.Second), true
	fmt.Fprintf(p.out, "\rzen: %d rows...", n)
}

// clear takes the line away.
func (p *rowProgress) clear() {
	if p.told {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
